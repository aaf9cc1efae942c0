"""The terms of reward by name: what files weigh, what ``reward/terms.py`` counts, what the docs tables show."""

from __future__ import annotations

REWARD_TERMS = (
    ("win", "the game has ended and the player has won", "1"),
    ("lose", "the game has ended and the player has lost", "1"),
    ("draw", "the game has ended in a draw", "1"),
    ("victory_points", "victory points that the player scores", "victory points"),
    ("victory_points_conceded", "victory points that the opponent scores", "victory points"),
    ("objectives_captured", "objectives that come under the player's control", "objectives"),
    ("objectives_lost", "objectives that leave the player's control", "objectives"),
    ("objectives_held", "objectives controlled, each time the player's points are counted", "objectives"),
    ("progress", "by how much a unit that moves comes nearer to the next objective not controlled", "board lengths"),
    ("damage_dealt", "hit points that enemies lose by the player's actions, as a share of their VALUE", "VALUE"),
    ("damage_received", "hit points that own units lose, as a share of their VALUE", "VALUE"),
    ("attacks", "actions with which a unit shoots or fights, however often it attacks in them", "actions"),
    ("kills", "enemy units that fall by the player's actions", "units"),
    ("melee_kills", "those of the kills that are made in the fight phase", "units"),
    ("charges", "charges that reach their target", "actions"),
    ("objective_presence", "activations that end with the unit on an objective, whoever controls it", "activations"),
    ("waiting", "activations given up without having done anything", "activations"),
)
"""Name, meaning and unit of each term; the order is that of all arrays of terms."""

TERM_NAMES = tuple(name for name, _, _ in REWARD_TERMS)
TERM_COUNT = len(REWARD_TERMS)
