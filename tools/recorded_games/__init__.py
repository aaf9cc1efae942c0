"""Replays recorded games of the reference engine and compares them with the rules (docs/parity.md)."""
