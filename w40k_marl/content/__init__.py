"""Which units, weapons, boards, scenarios and agents exist: JSON data, and the models that check it."""
