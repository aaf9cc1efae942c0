"""The options of ``w40k-marl play``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..command import SEED, OptionError, check_options, option

GAME, PLAYERS, FILES, OUTPUT = "what is played", "who plays", "saved games", "what is written"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """What is played, by whom, and where it goes; None, False and empty where not given.

    Raises OptionError for a value out of bounds, and for options that contradict each other.
    """

    scenario: str | None = option(
        "name or path of a scenario (default pve)", metavar="SCENARIO", group=GAME, reads_file=True
    )
    seed: int | None = option(
        "same seed, same game (default: a fresh one, which is printed)", metavar="S", group=GAME, bounds=SEED
    )
    intents: bool = option("every activation begins with an intent", False, group=GAME)
    decisions: Literal["agent", "reference"] | None = option(
        "who chooses targets (default agent: the player)", group=GAME
    )
    weapon_rules: Literal["reference", "full"] | None = option("which weapon rules act (default reference)", group=GAME)
    max_turns: int | None = option("turns of the game (default: that of the game rules)", metavar="N", group=GAME)
    layout: tuple[str, ...] = option(
        "fields of the layout, as macro,units_per_side=20 (default: room for the scenario)",
        (),
        metavar="NAME=VALUE,...",
        group=GAME,
    )
    profile: tuple[str, ...] = option(
        "evolutions of the profile in the macro observation, as real_range,best_weapons=2 (default none)",
        (),
        metavar="NAME=VALUE,...",
        group=GAME,
    )

    meta: str | None = option(
        "the mapping of unit types to models (default: the one that ships)",
        metavar="FILE",
        group=PLAYERS,
        reads_file=True,
    )
    super_agent: str | None = option(
        "the macro policy that chooses units (default: the order of the pool)", metavar="AGENT", group=PLAYERS
    )
    human: Literal[1, 2] | None = option(
        "the player that you take; the other is that of --meta or --opponent", group=PLAYERS
    )
    opponent: str | None = option(
        "who plays against you, or else against --meta: greedy, random, first, an agent key or an agent's folder "
        "(default: against you --meta if that is its side, else greedy)",
        metavar="WHO",
        group=PLAYERS,
    )
    trust_models: bool = option(
        "allow files of models, and callables of policy.json, to run code; only such as you know",
        False,
        group=PLAYERS,
    )

    save: str | None = option(
        "where a game that is left goes (default: SCENARIO-seedS.json, a free name)", metavar="FILE", group=FILES
    )
    overwrite: bool = option("let --save replace a file, and --log begin it anew", False, group=FILES)
    resume: str | None = option("go on with a saved game; who plays may be given anew", metavar="FILE", group=FILES)

    json: bool = option("the result as one line of JSON, the last one on stdout", False, group=OUTPUT)
    log: str | None = option(
        "add the [META] lines, which model plays which unit, to a file", metavar="FILE", group=OUTPUT
    )
    quiet: bool = option(
        "the result alone, with --json the JSON alone", False, group=OUTPUT, short="-q", one_of="detail"
    )
    verbose: bool = option(
        "each decision, each roll of the dice, [META] lines", False, group=OUTPUT, short="-v", one_of="detail"
    )

    def __post_init__(self) -> None:
        """Check each value, and those that exclude each other."""
        check_options(self)
        if self.human is not None and self.opponent is not None and (self.meta or self.super_agent):
            flag = "--meta" if self.meta else "--super-agent"
            raise OptionError(f"{flag}: expected no --human and --opponent beside it, who play both sides")
