"""The options of a game: their names, defaults and checks, for every environment and program."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from ..content.game_rules import check_game_rules, load_game_rules
from ..content.types import GameRules
from ..errors import ContentError, brief, did_you_mean
from ..observe.layout import Layout
from ..reward.weights import RewardsOption, find_rewards
from ..rules.state import DECISIONS, WEAPON_RULE_SETTINGS

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions
    from ..train.config import RewardsConfig

MOST_TURNS = 1000


class GameKeywords(TypedDict, total=False):
    """The keyword arguments of ``GameOptions.of`` and of every environment, with the types that they accept."""

    decisions: str
    game_rules: str | Path | GameRules | None  # a path, or the numbers
    layout: Layout | None
    max_turns: int | None
    weapon_rules: str
    rewards: RewardsOption  # an agent, a file, or the weights of reward terms
    profile: ProfileOptions | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GameOptions:
    """How games are played and paid, the same for every environment and program.

    None stands for the default of an option whose keyword accepts it. Raises ContentError if a value has the wrong type
    or is out of its bounds, or if a file that it names is missing or wrong.
    """

    decisions: str = "agent"  # or "reference", for the reference's automatic targets
    game_rules: GameRules = field(default_factory=load_game_rules)  # the packaged ones
    layout: Layout = field(default_factory=Layout)  # 16 units a side and 8 objectives
    max_turns: int | None = None  # None: that of the game rules
    weapon_rules: str = "reference"  # or "full": all rules of docs/weapon_rules.md act
    rewards: RewardsConfig | None = field(default=None, hash=False)  # None: the result alone; holds a dictionary
    profile: ProfileOptions | None = None  # of the offensive profile in macro observations; None: all off

    def __post_init__(self) -> None:
        """Check every option, and put what a name or None stands for in its place."""
        rewards = find_rewards(self.rewards)
        _check_choice("decisions", DECISIONS, self.decisions)
        _check_choice("weapon_rules", WEAPON_RULE_SETTINGS, self.weapon_rules)
        _check_max_turns(self.max_turns)
        found = {
            "rewards": rewards,
            "game_rules": _find_game_rules(self.game_rules),
            "layout": _find_layout(self.layout),
        }
        _check_profile(self.profile)
        for name, value in found.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, **keywords: Unpack[GameKeywords]) -> Self:
        """Return the options that keyword arguments name. Raises ContentError also for an unknown keyword."""
        for name in keywords:
            if name not in OPTION_NAMES:
                expected = f"an argument of the environment or a game option ({', '.join(OPTION_NAMES)})"
                hint = did_you_mean(name, OPTION_NAMES)
                raise ContentError("argument", name, expected, "an unknown name", hint)
        accepted: dict[str, Any] = {**keywords}
        return cls(**accepted)

    @classmethod
    def from_settings(cls, settings: object, **others: Unpack[GameKeywords]) -> Self:
        """Return the options in the settings of a file (see ``given_options``); ``others`` replace them."""
        return cls(**{**given_options(settings), **others})

    def keywords(self) -> GameKeywords:
        """Return these options as keyword arguments: ``RawEnv("pve", **options.keywords())``."""
        found: Any = {name: getattr(self, name) for name in OPTION_NAMES}
        keywords: GameKeywords = found
        return keywords


OPTION_NAMES = tuple(option.name for option in fields(GameOptions))


def given_options(settings: object) -> dict[str, Any]:
    """Return the attributes of settings that are named like options of a game and are not None.

    So settings pass an option on as soon as they have it as a field; what a field holds is not checked here.
    """
    values = {name: getattr(settings, name, None) for name in OPTION_NAMES}
    return {name: value for name, value in values.items() if value is not None}


def _check_choice(name: str, known: tuple[str, ...], got: object) -> None:
    if not isinstance(got, str) or got not in known:
        raise ContentError("argument", name, " or ".join(map(repr, known)), brief(got))


def _check_max_turns(max_turns: object) -> None:
    whole = isinstance(max_turns, int) and not isinstance(max_turns, bool)
    if max_turns is not None and not (whole and 1 <= max_turns <= MOST_TURNS):  # type: ignore[operator]
        raise ContentError("argument", "max_turns", f"None or a whole number from 1 to {MOST_TURNS}", brief(max_turns))


def _find_game_rules(given: object) -> GameRules:
    if isinstance(given, GameRules):
        check_game_rules(given)
        return given
    if given is not None and not isinstance(given, str | Path):
        raise ContentError("argument", "game_rules", "None, a path, or GameRules", brief(given))
    return load_game_rules(given)


def _find_layout(given: object) -> Layout:
    if given is None:
        return Layout()
    if not isinstance(given, Layout):
        raise ContentError("argument", "layout", "None or a Layout", brief(given))
    return given


def _check_profile(given: object) -> None:
    if given is None:
        return
    from ..observe.macro.offensive_profile import ProfileOptions  # here: other games need not load it

    if not isinstance(given, ProfileOptions):
        raise ContentError("argument", "profile", "None or ProfileOptions", brief(given))
