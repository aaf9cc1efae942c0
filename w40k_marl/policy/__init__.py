"""Who plays: bots, saved models, and the meta-controller that chooses among them by the type of the unit."""
