"""The load simulation: plays whole games with a macro and a
micro player, and measures their cost.
"""
