"""One game in a terminal: ``w40k-marl play``, models and bots
against each other, or against a person.
"""
