"""Tools for tests of rules and content: positions from text, forced dice and choices
(docs/testing.md).
"""
