"""From options to a match: what is played, who plays, and all of it once more where a game is resumed."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..content.policies import MetaConfig
from ..content.scenario import scenario_path
from ..env.aec import RawEnv
from ..errors import W40KError
from ..observe.layout import Layout
from ..policy.bots import BOTS, GREEDY
from ..policy.pve import PvEController
from ..simulate.warmup import Tell, warm_up
from .journal import Journal
from .match import Match
from .players import BotPlayer, ControllerPlayer, Player
from .saved_game import GameSettings, PlayError, Seats, read_saved

DEFAULT_SCENARIO = "pve"
LARGEST_SEED = 2**63 - 1
NEW_SEEDS = 2**32  # short enough to be typed

Person = Callable[[], Player]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayOptions:
    """The options of the command line that make a match; None and False where they are not given."""

    scenario: str | None = None
    seed: int | None = None
    decisions: Literal["agent", "reference"] | None = None
    intents: bool = False
    weapon_rules: Literal["reference", "full"] | None = None
    max_turns: int | None = None
    meta: str | None = None
    super_agent: str | None = None
    opponent: str | None = None
    human: Literal[1, 2] | None = None
    trust_models: bool = False
    resume: str | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself. Raises PlayError."""
        if self.seed is not None and not 0 <= self.seed <= LARGEST_SEED:
            raise PlayError(f"--seed: expected 0 to {LARGEST_SEED}, got {self.seed}")
        if self.human is not None and self.opponent is not None:
            raise PlayError("--opponent: expected no --human beside it, who plays that side")


def make_match(options: PlayOptions, journal: Journal, person: Person, tell: Tell = lambda _: None) -> Match:
    """Load everything and begin the game, or go on with the saved one. Raises W40KError, one sentence each.

    ``person`` makes the player of a side that a person plays; ``tell`` hears of a long compilation.
    """
    saved = None if options.resume is None else read_saved(Path(options.resume))
    settings = _new_settings(options) if saved is None else _settings_of(saved.game, options)
    seats = _seats(Seats() if saved is None else saved.seats, options)
    env = _environment(settings, tell)
    players = _players(env, settings, seats, options.trust_models, person)
    env.reset(seed=settings.seed)
    match = Match(env, settings, seats, players, journal)
    if saved is not None:
        match.resume(saved, str(options.resume))
    return match


def _environment(settings: GameSettings, tell: Tell) -> RawEnv:
    """The environment of a game, its rules compiled."""

    def make() -> RawEnv:
        return RawEnv(
            settings.scenario,
            decisions=settings.decisions,
            layout=Layout(intents=settings.intents),
            max_turns=settings.max_turns,
            weapon_rules=settings.weapon_rules,
        )

    env, _ = warm_up(make, tell)
    return env


def _new_settings(options: PlayOptions) -> GameSettings:
    return GameSettings(
        scenario=_lasting(options.scenario or DEFAULT_SCENARIO),
        seed=secrets.randbelow(NEW_SEEDS) if options.seed is None else options.seed,
        decisions=options.decisions or "agent",
        intents=options.intents,
        weapon_rules=options.weapon_rules or "reference",
        max_turns=options.max_turns,
    )


def _settings_of(saved: GameSettings, options: PlayOptions) -> GameSettings:
    """Those of a saved game. Raises PlayError where an option asks for another."""
    given = {
        "scenario": None if options.scenario is None else _lasting(options.scenario),
        "seed": options.seed,
        "decisions": options.decisions,
        "intents": options.intents or None,
        "weapon_rules": options.weapon_rules,
        "max_turns": options.max_turns,
    }
    for name, value in given.items():
        known = getattr(saved, name)
        if value is not None and value != known:
            flag = f"--{name.replace('_', '-')}"
            raise PlayError(f"{flag}: expected that of the game in {options.resume}, {known}, got {value}")
    return saved


def _seats(saved: Seats, options: PlayOptions) -> Seats:
    """Who plays: as the options say, and where they do not, as in the saved game."""
    human, opponent = options.human, options.opponent
    if human is None and opponent is None:
        human, opponent = saved.human, saved.opponent
    return Seats(
        meta=saved.meta if options.meta is None else _from_anywhere(options.meta),
        super_agent=options.super_agent or saved.super_agent,
        opponent=opponent or (GREEDY if human is None else None),
        human=human,
    )


def _lasting(scenario: str) -> str:
    """A name as it is; the path of a file in a form that holds from another folder too."""
    return _from_anywhere(scenario) if scenario_path(scenario) == Path(scenario) else scenario


def _from_anywhere(file: str) -> str:
    """The absolute path of a file; the name as it is where there is none, for the message that says so."""
    return str(Path(file).resolve()) if os.path.isfile(file) else file  # noqa: PTH113 - False for what is no path


def _players(env: RawEnv, settings: GameSettings, seats: Seats, trust: bool, person: Person) -> dict[int, Player]:
    controller = PvEController(seats.meta, env, super_agent=seats.super_agent, seed=settings.seed, trust_models=trust)
    other = 3 - controller.seat
    if seats.human == controller.seat:
        file = "the shipped mapping" if seats.meta is None else seats.meta
        raise PlayError(f"--human: expected {other}, got {seats.human}, the controlled_player of {file}")
    if seats.human is not None:
        opponent = person()
    elif seats.opponent in BOTS:
        opponent = BotPlayer(seats.opponent, env.layout)
    else:
        opponent = _agent(str(seats.opponent), other, controller, env, settings.seed, trust)
    return {controller.seat: ControllerPlayer(controller), other: opponent}


def _agent(key: str, side: int, controller: PvEController, env: RawEnv, seed: int, trust: bool) -> Player:
    """The policy of an agent key for all units of a side, which come in the order of the pool."""
    meta = MetaConfig(side, {}, key, folder=controller.meta.folder)
    with _of(f"--opponent: expected {', '.join(BOTS)} or an agent"):
        return ControllerPlayer(PvEController(meta, env, seed=seed, trust_models=trust))


@contextmanager
def _of(option: str) -> Iterator[None]:
    """Say in an error which option it is about."""
    try:
        yield
    except W40KError as error:
        raise PlayError(f"{option}; {error}") from None
