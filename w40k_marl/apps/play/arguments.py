"""The options of ``w40k-marl play`` as the command line takes them."""

from __future__ import annotations

import argparse

from ..console import OneLineParser

DESCRIPTION = """Play one game to its end: a meta-controller on one side, a bot, an agent or a person on the other.

The board and a line for each action are written to stdout; which model plays which unit, lines of [META], to the file
of --log, and with -v to stderr."""
EXAMPLES = """examples:
  {program} --scenario pve                           models against the greedy bot
  {program} --human 1                                play against the models, at the prompt
  {program} --human 2 --opponent random              the same against a bot, or any agent
  {program} --resume pve-seed7.json                  go on with a saved game
  {program} --super-agent MacroController --intents --opponent random --seed 7
  {program} --quiet --json | jq .winner              the result for programs

exit status: 0 the game is over or saved, 2 bad input, 130 stopped by Ctrl-C (the game is saved)
"""


def declare_options(parser: OneLineParser) -> None:
    """Declare every option; ``setup.PlayOptions`` and ``docs/playing.md`` say what they are where not given."""
    game = parser.add_argument_group("what is played").add_argument
    game("--scenario", metavar="SCENARIO", help="name or path of a scenario (default pve)")
    game("--seed", type=_whole, metavar="S", help="same seed, same game (default: a fresh one, which is printed)")
    game("--intents", action="store_true", help="every activation begins with an intent")
    game("--decisions", choices=("agent", "reference"), help="who chooses targets (default agent: the player)")
    game("--weapon-rules", choices=("reference", "full"), help="which weapon rules act (default reference)")
    game("--max-turns", type=_whole, metavar="N", help="turns of the game (default: that of the game rules)")
    game(
        "--layout",
        action="append",
        metavar="NAME=VALUE,...",
        help="fields of the layout, as macro,units_per_side=20 (default: room for the scenario)",
    )
    game(
        "--profile",
        action="append",
        metavar="NAME=VALUE,...",
        help="evolutions of the profile in the macro observation, as real_range,best_weapons=2 (default none)",
    )
    who = parser.add_argument_group("who plays").add_argument
    who("--meta", metavar="FILE", help="the mapping of unit types to models (default: the one that ships)")
    who("--super-agent", metavar="AGENT", help="the macro policy that chooses units (default: the order of the pool)")
    who("--human", type=int, choices=(1, 2), help="the player that you take; the other is that of --meta or --opponent")
    who(
        "--opponent",
        metavar="WHO",
        help="who plays against you, or else against --meta: greedy, random, first, an agent key or an agent's folder "
        "(default: against you --meta if that is its side, else greedy)",
    )
    who(
        "--trust-models",
        action="store_true",
        help="allow files of models, and callables of policy.json, to run code; only such as you know",
    )
    kept = parser.add_argument_group("saved games").add_argument
    kept("--save", metavar="FILE", help="where a game that is left goes (default: SCENARIO-seedS.json, a free name)")
    kept("--overwrite", action="store_true", help="let --save replace a file, and --log begin it anew")
    kept("--resume", metavar="FILE", help="go on with a saved game; who plays may be given anew")
    told = parser.add_argument_group("what is written").add_argument
    told("--json", action="store_true", help="the result as one line of JSON, the last one on stdout")
    told("--log", metavar="FILE", help="add the [META] lines, which model plays which unit, to a file")
    loud = parser.add_mutually_exclusive_group().add_argument
    loud("--quiet", "-q", action="store_true", help="the result alone, with --json the JSON alone")
    loud("--verbose", "-v", action="store_true", help="each decision, each roll of the dice, [META] lines")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}") from None
