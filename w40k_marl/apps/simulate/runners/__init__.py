"""Plays the games of a load simulation: one at a time through the agent cycle, or in batches."""
