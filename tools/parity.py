#!/usr/bin/env python3
"""Replays recorded games of the reference engine and compares them with the rules; see
docs/parity.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.append(str(Path(__file__).resolve().parent))  # for `python -I`, too

from dev import packages_needed

with packages_needed():
    from recorded_games.cli import main

if __name__ == "__main__":
    sys.exit(main())
