"""Compiles the game's functions with numba, and caches their machine code between processes.

Other packages use two decorators, ``decorators.compiled`` and ``decorators.entry_point``, and
``prefetch``.
"""
