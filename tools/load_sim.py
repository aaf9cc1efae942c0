"""Starts the load simulation; `python tools/load_sim.py --help` shows its options. Same as `w40k-marl simulate`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent))  # for `python -I`, too

from dev import packages_needed

with packages_needed():
    from w40k_marl.apps.simulate.cli import main

if __name__ == "__main__":
    sys.exit(main())
