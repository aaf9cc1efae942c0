"""The policies that a load simulation knows by name; others are ``module:callable`` (``env/policies.py``)."""

from __future__ import annotations

from ..env import policies

RANDOM, FIRST = "random", "first"
BUILT_IN = (RANDOM, FIRST)


def find_policy(name: str) -> policies.Policy | None:
    """The function that ``name`` stands for; None for a built-in one. Raises PolicyError."""
    if name in BUILT_IN:
        return None
    if ":" not in name:
        raise policies.PolicyError(f"expected {', '.join(BUILT_IN)} or module:callable, got {name!r}")
    return policies.find_policy(name)
