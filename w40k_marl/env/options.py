"""The options of a game: their names, defaults and checks, for every environment and program."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypedDict, Unpack

from ..content.game_rules import check_game_rules, load_game_rules
from ..content.types import GameRules
from ..errors import ContentError, brief, did_you_mean
from ..observe.layout import Layout
from ..reward.config import RewardsOption, find_rewards
from ..rules.state import DECISIONS, WEAPON_RULE_SETTINGS

if TYPE_CHECKING:
    from ..observe.macro.offensive_profile import ProfileOptions
    from ..reward.config import RewardsConfig

MOST_TURNS = 1000


class GameKeywords(TypedDict, total=False):
    """The keyword arguments of ``GameOptions.of`` and of every
    environment, with the types that they accept.
    """

    decisions: str
    game_rules: str | Path | GameRules | None  # a path, or the numbers
    layout: Layout | None
    max_turns: int | None
    weapon_rules: str
    rewards: RewardsOption  # an agent, a file, or the weights of reward terms
    profile: ProfileOptions | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GameOptions:
    """The options of games, the same for every environment and program.

    None stands for the default of an option whose keyword accepts it. Raises ContentError if a
    value has the wrong type or is out of its bounds, or if a file that it names is missing or
    invalid.
    """

    decisions: str = "agent"  # or "reference", for the reference's automatic targets
    game_rules: GameRules = field(default_factory=load_game_rules)  # the packaged ones
    layout: Layout = field(default_factory=Layout)  # 16 units a side and 8 objectives
    max_turns: int | None = None  # None: that of the game rules
    weapon_rules: str = "reference"  # or "full": all rules of docs/weapon_rules.md act
    rewards: RewardsConfig | None = field(default=None, hash=False)  # None: the result alone; holds a dictionary
    profile: ProfileOptions | None = None  # of the offensive profile in macro observations; None: all off

    def __post_init__(self) -> None:
        """Check every option, and replace names and None by the objects that they stand for."""
        rewards = find_rewards(self.rewards)
        for name, known in (("decisions", DECISIONS), ("weapon_rules", WEAPON_RULE_SETTINGS)):
            got = getattr(self, name)
            _require(isinstance(got, str) and got in known, name, " or ".join(map(repr, known)), got)
        turns: Any = self.max_turns
        whole = isinstance(turns, int) and not isinstance(turns, bool)
        bounds = f"None or a whole number from 1 to {MOST_TURNS}"
        _require(turns is None or (whole and 1 <= turns <= MOST_TURNS), "max_turns", bounds, turns)
        game_rules = _find_game_rules(self.game_rules)
        layout: Any = Layout() if self.layout is None else self.layout
        _require(isinstance(layout, Layout), "layout", "None or a Layout", layout)
        if self.profile is not None:
            from ..observe.macro.offensive_profile import ProfileOptions  # here: other games need not load it

            _require(isinstance(self.profile, ProfileOptions), "profile", "None or ProfileOptions", self.profile)
        for name, value in (("rewards", rewards), ("game_rules", game_rules), ("layout", layout)):
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, **keywords: Unpack[GameKeywords]) -> Self:
        """Return the options that keyword arguments name. Raises
        ContentError also for an unknown keyword.
        """
        for name in [name for name in keywords if name not in OPTION_NAMES]:
            expected = f"an argument of the environment or a game option ({', '.join(OPTION_NAMES)})"
            raise ContentError("argument", name, expected, "an unknown name", did_you_mean(name, OPTION_NAMES))
        accepted: dict[str, Any] = {**keywords}
        return cls(**accepted)

    @classmethod
    def from_settings(cls, settings: object, **others: Unpack[GameKeywords]) -> Self:
        """Return the options in the settings of a file (see
        ``given_options``); ``others`` replace them.
        """
        return cls(**{**given_options(settings), **others})

    def keywords(self) -> GameKeywords:
        """Return these options as keyword arguments: ``RawEnv("pve", **options.keywords())``."""
        found: Any = {name: getattr(self, name) for name in OPTION_NAMES}
        keywords: GameKeywords = found
        return keywords


OPTION_NAMES = tuple(option.name for option in fields(GameOptions))


def given_options(settings: object) -> dict[str, Any]:
    """Return the attributes of settings that have the name of an option of a game and are not None.

    Their values are not checked here.
    """
    values = {name: getattr(settings, name, None) for name in OPTION_NAMES}
    return {name: value for name, value in values.items() if value is not None}


def _find_game_rules(given: object) -> GameRules:
    if isinstance(given, GameRules):
        check_game_rules(given)
        return given
    if given is None or isinstance(given, str | Path):
        return load_game_rules(given)
    raise ContentError("argument", "game_rules", "None, a path, or GameRules", brief(given))


def _require(condition: bool, name: str, expected: str, got: object) -> None:
    if not condition:
        raise ContentError("argument", name, expected, brief(got))
