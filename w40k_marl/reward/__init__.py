"""Rewards of a step: its terms by name, their weights, and the code that counts and pays them."""
