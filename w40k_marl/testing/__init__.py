"""For tests of rules and content: positions set up from text, forced dice and forced choices (docs/testing.md)."""
