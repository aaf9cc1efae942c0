"""The options of ``w40k-marl play``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

from ..command import SEED, OptionError, check_options, option

_game = partial(option, group="what is played")
_players = partial(option, group="who plays")
_files = partial(option, group="saved games")
_output = partial(option, group="what is written")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """The game, its players and its output; None, False or empty if not given.

    Raises OptionError for a value out of bounds, and for options that contradict each other.
    """

    scenario: str | None = _game("name or path of a scenario (default pve)", metavar="SCENARIO", reads_file=True)
    seed: int | None = _game("same seed, same game (default: a fresh one, which is printed)", metavar="S", bounds=SEED)
    intents: bool = _game("every activation begins with an intent", False)
    decisions: Literal["agent", "reference"] | None = _game("who chooses targets (default agent: the player)")
    weapon_rules: Literal["reference", "full"] | None = _game("which weapon rules act (default reference)")
    max_turns: int | None = _game("turns of the game (default: that of the game rules)", metavar="N")
    layout: tuple[str, ...] = _game(
        "fields of the layout, as macro,units_per_side=20 (default: room for the scenario)",
        (),
        metavar="NAME=VALUE,...",
    )
    profile: tuple[str, ...] = _game(
        "evolutions of the profile in the macro observation, as real_range,best_weapons=2 (default none)",
        (),
        metavar="NAME=VALUE,...",
    )

    meta: str | None = _players(
        "the mapping of unit types to models (default: the one that ships)", metavar="FILE", reads_file=True
    )
    super_agent: str | None = _players(
        "the macro policy that chooses units (default: the order of the pool)", metavar="AGENT"
    )
    human: Literal[1, 2] | None = _players("the player that you take; the other is that of --meta or --opponent")
    opponent: str | None = _players(
        "who plays against you, or else against --meta: greedy, random, first, an agent key or an agent's folder "
        "(default: against you --meta if that is its side, else greedy)",
        metavar="WHO",
    )
    trust_models: bool = _players(
        "allow files of models, and callables of policy.json, to run code; only such as you know", False
    )

    save: str | None = _files(
        "where a game that is left goes (default: SCENARIO-seedS.json, a free name)", metavar="FILE"
    )
    overwrite: bool = _files("let --save replace a file, and --log begin it anew", False)
    resume: str | None = _files("go on with a saved game; who plays may be given anew", metavar="FILE")

    json: bool = _output("the result as one line of JSON, the last one on stdout", False)
    log: str | None = _output("add the [META] lines, which model plays which unit, to a file", metavar="FILE")
    quiet: bool = _output("the result alone, with --json the JSON alone", False, short="-q", one_of="detail")
    verbose: bool = _output("each decision, each roll of the dice, [META] lines", False, short="-v", one_of="detail")

    def __post_init__(self) -> None:
        """Check each value, and options that exclude each other."""
        check_options(self)
        if self.human is not None and self.opponent is not None and (self.meta or self.super_agent):
            flag = "--meta" if self.meta else "--super-agent"
            raise OptionError(f"{flag}: expected no --human and --opponent beside it, who play both sides")
