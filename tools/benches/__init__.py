"""The benches behind ``tools/bench.py``, a module each: what is measured, and the line that others read."""
