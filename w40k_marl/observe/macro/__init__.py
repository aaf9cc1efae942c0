"""The macro observation of a game, for the super-agent (docs/macro_observation.md)."""
