"""The game as environments: PettingZoo's agent cycle over the compiled rules. No rule lives here."""
