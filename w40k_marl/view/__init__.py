"""Ways to look at a game."""
