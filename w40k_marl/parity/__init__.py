"""Replays of recorded games of the reference engine, and the comparison with our rules."""
