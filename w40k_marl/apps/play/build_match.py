"""Builds a match from options: the game and its players,
restored from a saved game if one is resumed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from ...content.scenario import load_scenario, scenario_path
from ...env.aec import RawEnv
from ...env.options import GameOptions, given_options
from ...env.warmup import Tell, warm_up
from ...errors import W40KError
from ...observe.layout import Layout
from ...observe.macro.offensive_profile import ProfileOptions
from ...policy.bots import BOTS, GREEDY
from ...policy.config import MetaConfig, meta_config
from ...policy.pve import PvEController
from ..console import read_settings
from .game_log import GameLog
from .match import Match, Player
from .options import PlayOptions
from .players import BotPlayer, ControllerPlayer
from .saved_game import GameSettings, PlayError, Seats, read_saved

DEFAULT_SCENARIO = "pve"
NEW_SEEDS = 2**32  # short enough to be typed

Person = Callable[[], Player]


def make_match(options: PlayOptions, log: GameLog, person: Person, tell: Tell = lambda _: None) -> Match:
    """Load everything and begin the game, or resume the saved one. Raises W40KError, in one
    sentence, for invalid input.

    ``person`` makes the player of a side that a person plays;
    ``tell`` is called before a long compilation.
    """
    saved = None if options.resume is None else read_saved(Path(options.resume))
    settings = _new_settings(options) if saved is None else _settings_of(saved.game, options)
    seats = _seats(Seats() if saved is None else saved.seats, options)
    env = _environment(settings, tell)
    players = _players(env, settings, seats, options.trust_models, person)
    env.reset(seed=settings.seed)
    match = Match(env, settings, seats, players, log)
    if saved is not None:
        match.resume(saved, str(options.resume))
    return match


def _environment(settings: GameSettings, tell: Tell) -> RawEnv:
    """Return the environment of a game, with its rules compiled."""

    def make() -> RawEnv:
        options = GameOptions.from_settings(settings, layout=_layout_of(settings), profile=settings.profile)
        return RawEnv(settings.scenario, **options.keywords())

    env, _ = warm_up(make, tell)
    return env


def _layout_of(settings: GameSettings) -> Layout:
    """Return the layout of a game, by default one with room for the scenario."""
    if settings.layout is not None:
        return settings.layout
    return Layout(intents=settings.intents).with_room_for([load_scenario(settings.scenario)])


def _given_layout(options: PlayOptions, scenario: str) -> Layout | None:
    """Return the layout that the options name; capacities not named get room for the scenario. None
    without ``--layout``.
    """
    texts = [*options.layout, *(["intents"] if options.intents else ())]
    with _of("--layout"):
        given = read_settings(texts, asdict(Layout()))
        layout = Layout(**given).with_room_for([load_scenario(scenario)])
        return replace(layout, **given) if options.layout else None


def _given_profile(options: PlayOptions, layout: Layout | None) -> ProfileOptions | None:
    """Return the options of the profile; None if none is given."""
    if not options.profile:
        return None
    with _of("--profile"):
        profile = ProfileOptions(**read_settings(options.profile, asdict(ProfileOptions())))
        if layout is None or not layout.macro:
            raise W40KError("expected --layout macro with it, as only the macro observation holds the profile")
        return profile


def _new_settings(options: PlayOptions) -> GameSettings:
    scenario = _lasting(options.scenario or DEFAULT_SCENARIO)
    layout = _given_layout(options, scenario)
    return GameSettings(
        scenario=scenario,
        seed=secrets.randbelow(NEW_SEEDS) if options.seed is None else options.seed,
        intents=options.intents if layout is None else layout.intents,
        **{**given_options(options), "layout": layout, "profile": _given_profile(options, layout)},
    )


def _settings_of(saved: GameSettings, options: PlayOptions) -> GameSettings:
    """Return the settings of a saved game. Raises PlayError if an option differs from them."""
    layout = _given_layout(options, saved.scenario)
    given = {
        "scenario": None if options.scenario is None else _lasting(options.scenario),
        "seed": options.seed,
        "intents": options.intents or None,
        **given_options(options),
        "layout": layout,
        "profile": _given_profile(options, layout or saved.layout),
    }
    for name, value in given.items():
        known = getattr(saved, name)
        if value is not None and value != known:
            flag = f"--{name.replace('_', '-')}"
            raise PlayError(f"{flag}: expected that of the game in {options.resume}, {known}, got {value}")
    return saved


def _seats(saved: Seats, options: PlayOptions) -> Seats:
    """Return the players: those of the options, otherwise those of the saved game.

    If the person's side is the one of the shipped mapping, the opponent is the greedy bot.
    """
    human, opponent = options.human, options.opponent
    if human is None and opponent is None:
        human, opponent = saved.human, saved.opponent
        if human is not None and (options.meta or options.super_agent):
            opponent = None  # the meta-controller takes that side
    meta = saved.meta if options.meta is None else str(Path(options.meta).absolute())
    super_agent = options.super_agent or saved.super_agent
    if opponent is None and (
        human is None or (meta is super_agent is None and human == meta_config().controlled_player)
    ):
        opponent = GREEDY
    if human is not None and opponent is not None:
        meta = super_agent = None
    return Seats(
        meta=meta,
        super_agent=super_agent,
        opponent=opponent if opponent is None or opponent in BOTS else _lasting_agent(opponent),
        human=human,
    )


def _lasting_agent(agent: str) -> str:
    """Return an agent key unchanged, the path of an agent's folder as an absolute path."""
    return str(Path(agent).resolve()) if len(Path(agent).parts) > 1 else agent


def _lasting(scenario: str) -> str:
    """Return a scenario's name unchanged, the path of a file as an absolute path."""
    path = scenario_path(scenario)
    return str(path.absolute()) if path == Path(scenario) else scenario


def _players(env: RawEnv, settings: GameSettings, seats: Seats, trust: bool, person: Person) -> dict[int, Player]:
    if seats.human is not None and seats.opponent is not None:
        other = 3 - seats.human
        return {seats.human: person(), other: _opponent(seats.opponent, other, None, env, settings.seed, trust)}
    controller = PvEController(seats.meta, env, super_agent=seats.super_agent, seed=settings.seed, trust_models=trust)
    other = 3 - controller.seat
    if seats.human == controller.seat:
        file = "the shipped mapping" if seats.meta is None else seats.meta
        raise PlayError(
            f"--human: expected {other}, got {seats.human}, the controlled_player of {file} "
            f"(or say by --opponent who plays against you, without --meta and --super-agent)"
        )
    folder = controller.meta.folder
    opponent = (
        person() if seats.opponent is None else _opponent(seats.opponent, other, folder, env, settings.seed, trust)
    )
    return {controller.seat: ControllerPlayer(controller), other: opponent}


def _opponent(name: str, side: int, folder: Path | None, env: RawEnv, seed: int, trust: bool) -> Player:
    """Return a bot, or the policy of an agent for all units of a side, which are selected in the
    order of the pool.

    An agent is a key, looked up in ``folder`` and among those that ship, or the path of its folder.
    """
    if name in BOTS:
        return BotPlayer(name, env.layout)
    path = Path(name)
    if len(path.parts) > 1:
        name, folder = path.name, path.parent
    with _of(f"--opponent: expected {', '.join(BOTS)} or an agent"):
        meta = MetaConfig(side, {}, name, folder=folder)
        return ControllerPlayer(PvEController(meta, env, seed=seed, trust_models=trust))


@contextmanager
def _of(option: str) -> Iterator[None]:
    """Raise a W40KError of the block as a PlayError whose message begins with the option."""
    try:
        yield
    except W40KError as error:
        raise PlayError(f"{option}; {error}") from None
