"""Reads fields of observations by the names of block and field."""

from __future__ import annotations

import numpy as np

from ..errors import ContentError, brief
from ..observe.layout import UNIT_FIELDS, Layout
from .block_policy import Vectors, check_layout
from .errors import LayoutMismatchError

_UNIT_FIELDS = [name for name, _ in UNIT_FIELDS]


class FieldReader:
    """Reads observations (k, layout.observation_size)."""

    def __init__(self, layout: Layout) -> None:
        """Take the layout of the observations. Raises ContentError if it is not a Layout."""
        check_layout(layout)
        self._size = layout.observation_size
        self._blocks = {block.name: block for block in layout.blocks}
        self._units_per_side = layout.units_per_side

    def rows(self, observations: Vectors, block: str, field: str) -> Vectors:
        """Return a field in all rows of a block, (k, rows).

        Raises ContentError for an unknown block or field, LayoutMismatchError for observations of
        another shape.
        """
        self._check(observations)
        shape = self._blocks.get(block) if isinstance(block, str) else None
        names = [] if shape is None else [name for name, _ in shape.fields]
        if shape is None or not isinstance(field, str) or field not in names:
            raise ContentError(
                "argument", "field", "a block and a field of the layout", f"{brief(block)}, {brief(field)}"
            )
        first = shape.start + names.index(field)
        return observations[:, first : shape.stop : len(shape.fields)]

    def one(self, observations: Vectors, block: str, field: str) -> Vectors:
        """Return a field of a block of one row, (k,). Raises ContentError or LayoutMismatchError
        under the conditions of ``rows``.
        """
        values: Vectors = self.rows(observations, block, field)[:, 0]
        return values

    def active_unit(self, observations: Vectors, field: str) -> Vectors:
        """Return a field of the active unit's row of ``my_units``,
        (k,); of slot 0 if none is active.
        """
        if not isinstance(field, str) or field not in _UNIT_FIELDS:
            raise ContentError("argument", "field", f"one of {', '.join(_UNIT_FIELDS)}", brief(field))
        slots = np.rint(self.one(observations, "active_unit", "slot") * self._units_per_side).astype(np.int64)
        column = self._blocks["my_units"].start + slots * len(_UNIT_FIELDS) + _UNIT_FIELDS.index(field)
        values: Vectors = observations[np.arange(len(observations)), column]
        return values

    def _check(self, observations: object) -> None:
        shape = getattr(observations, "shape", ())
        if (
            not isinstance(observations, np.ndarray)
            or shape[1:] != (self._size,)
            or observations.dtype.kind not in "iuf"
        ):
            expected = f"observations of shape (k, {self._size})"
            raise LayoutMismatchError(f"FieldReader: expected {expected}, got {brief(observations)}")
