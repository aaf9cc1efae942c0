"""The game itself: arrays in, arrays out, compiled.

Imports numpy and ``compiler``, nothing else of ours. A reader who wants to know how a charge works opens
``charge.py`` and finds all of it there.
"""
