"""Checks files of any kind without playing."""
