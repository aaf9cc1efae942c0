"""Starts the load simulation; `python tools/load_sim.py --help` shows its options. Same as `w40k-marl simulate`."""

from __future__ import annotations

import sys

try:
    from w40k_marl.simulate.command import main
except ModuleNotFoundError as missing:
    if missing.name != "w40k_marl":
        raise
    print("load_sim.py: w40k_marl is not installed: run `python -m pip install -e .` first", file=sys.stderr)
    sys.exit(2)
except KeyboardInterrupt:
    sys.exit(130)

if __name__ == "__main__":
    sys.exit(main())
