"""Policies: bots, saved models, and the meta-controller, which chooses a model by unit type."""
