"""Observations: their layout by name, and the compiled code that writes them."""
