"""Every legal sequence of actions on small positions, counted; see ``make_perft.py`` for how to renew the counts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from numba import config


@pytest.mark.parametrize("decisions", ["reference", "agent"])
@pytest.mark.parametrize("position", ["duel", "shots", "brawl"])
def test_counts_are_the_reviewed_ones(make_perft: Any, position: str, decisions: str) -> None:
    reviewed = json.loads(make_perft.FILE.read_text(encoding="utf-8"))[position][decisions]
    assert len(reviewed) == make_perft.DEPTH[position]
    depth = 7 if config.DISABLE_JIT else len(reviewed)
    assert make_perft.counts(position, decisions, depth) == reviewed[:depth]
