"""Compiles the game's functions with numba, and keeps their machine code between processes.

The other rooms use two decorators, ``decorators.compiled`` and ``decorators.entry_point``, and ``prefetch``.
"""
