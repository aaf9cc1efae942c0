"""One game at the command line: ``w40k-marl play``, models and bots against each other, or against a person."""
