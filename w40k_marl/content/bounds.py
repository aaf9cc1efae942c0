"""Names and numbers within bounds, as msgspec checks them: the types of keys in files of every room."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, TypeVar

from msgspec import Meta, UnsetType

from ..rules.state import MAX_OBJECTIVES, MAX_UNITS_PER_SIDE, MAX_WEAPONS

Value = TypeVar("Value")
Optional: TypeAlias = Value | UnsetType
"""A key that may be left out, but not be null."""

Name = Annotated[str, Meta(min_length=1)]
Stat = Annotated[int, Meta(ge=0, le=1000)]
PositiveStat = Annotated[int, Meta(ge=1, le=1000)]
PositiveCount = Annotated[int, Meta(ge=1)]
Turns = Annotated[int, Meta(ge=1, le=1000)]
Player = Literal[1, 2]
UnitCapacity = Annotated[int, Meta(ge=1, le=MAX_UNITS_PER_SIDE)]
ObjectiveCapacity = Annotated[int, Meta(ge=1, le=MAX_OBJECTIVES)]
WeaponCount = Annotated[int, Meta(ge=1, le=MAX_WEAPONS)]
