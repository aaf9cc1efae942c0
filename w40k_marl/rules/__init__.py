"""The rules of the game: compiled functions from arrays to arrays.

Imports only numpy and ``compiler``. Each rule has its own file; all of a charge is in
``charge.py``.
"""
