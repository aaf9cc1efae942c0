"""Displays of a game."""
