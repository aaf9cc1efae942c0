"""The macro observation: what the super-agent sees of a game (docs/macro_observation.md)."""
