"""JSON data of units, weapons, boards, scenarios and agents, and the models that check it."""
