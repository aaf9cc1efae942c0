"""Finds the numbers of many observations by the names of their blocks and fields."""

from __future__ import annotations

import numpy as np

from ..observe.layout import UNIT_FIELDS, Layout
from .adapter import Vectors

_UNIT_FIELDS = [name for name, _ in UNIT_FIELDS]


class FieldReader:
    """Reads observations (k, layout.observation_size)."""

    def __init__(self, layout: Layout) -> None:
        """Take the layout of the observations."""
        self._blocks = {block.name: block for block in layout.blocks}
        self._units_per_side = layout.units_per_side

    def rows(self, observations: Vectors, block: str, field: str) -> Vectors:
        """A field in all rows of a block, (k, rows)."""
        shape = self._blocks[block]
        first = shape.start + [name for name, _ in shape.fields].index(field)
        return observations[:, first : shape.stop : len(shape.fields)]

    def one(self, observations: Vectors, block: str, field: str) -> Vectors:
        """A field of a block of one row, (k,)."""
        values: Vectors = self.rows(observations, block, field)[:, 0]
        return values

    def active_unit(self, observations: Vectors, field: str) -> Vectors:
        """A field of the active unit's row of ``my_units``, (k,); of slot 0 while none is active."""
        slots = np.rint(self.one(observations, "active_unit", "slot") * self._units_per_side).astype(np.int64)
        place = self._blocks["my_units"].start + slots * len(_UNIT_FIELDS) + _UNIT_FIELDS.index(field)
        values: Vectors = observations[np.arange(len(observations)), place]
        return values
