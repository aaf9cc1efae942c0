"""The benches of ``tools/bench.py``, one module each: measurement, and a line for other programs."""
