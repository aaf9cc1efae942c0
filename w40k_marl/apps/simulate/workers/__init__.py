"""Spreads the games of a load simulation over processes of this machine or of a Ray cluster."""
