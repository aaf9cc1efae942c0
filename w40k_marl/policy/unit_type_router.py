"""The models of a registry as one micro policy: each unit is played by the model of its type."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .block_policy import Actions, Kind, Masks, Vectors, as_array, check_shapes
from .errors import PredictionError, UnitTypesNotGivenError
from .meta_controller import log_route, select_model_for_unit
from .registry import ModelsRegistry, check_registry


class RoutedPolicy:
    """Who plays the micro actions of a side by the mapping of a registry, for ``MacroEnv``, ``MicroEnv`` and batches.

    Its models are those that ``load_registry`` has loaded; none is loaded later. It plays for the registry's
    controlled player alone; it knows no roster, and takes rows of the other player for its own.
    """

    takes_unit_types = True
    kind: Kind = "micro"

    def __init__(self, registry: ModelsRegistry) -> None:
        """Take the models, the mapping and the default of a registry."""
        check_registry(registry)
        self.registry = registry
        self.layout = registry.layout
        self.seat = registry.meta.controlled_player

    def __call__(self, observations: Vectors, masks: Masks, unit_types: NDArray[np.str_] | None = None) -> Actions:
        """Actions (k,) of 13 for observations (k, n), masks (k, 13) and types of the active units, str (k,).

        One call for each model. Raises UnitTypesNotGivenError, UnmappedUnitTypeError, EmptyMaskError and the errors of
        predictions.
        """
        check_shapes(f"player {self.seat}", self.layout, self.kind, observations, masks)
        if unit_types is None:
            raise UnitTypesNotGivenError(
                f"player {self.seat}: expected the unit types of {len(masks)} open activations, got none "
                "(seats pass them on; a BatchEnv has them in type_names())"
            )
        types = as_array(f"player {self.seat}", unit_types)
        if types.shape != (len(masks),) or types.dtype.kind != "U":
            raise PredictionError(
                f"player {self.seat}: expected unit types of shape ({len(masks)},), got {types.shape} of {types.dtype}"
            )
        keys = {unit_type: self._key(unit_type) for unit_type in np.unique(types).tolist()}
        model_of_row = np.array([keys[unit_type] for unit_type in types.tolist()])
        actions = np.zeros(len(masks), dtype=np.int64)
        for key in dict.fromkeys(keys.values()):
            rows = np.flatnonzero(model_of_row == key)
            actions[rows] = self.registry[key](observations[rows], masks[rows])
        return actions

    def _key(self, unit_type: str) -> str:
        """The model of a type; said in the log."""
        meta = self.registry.meta
        unit = {"unitType": unit_type, "player": self.seat}
        key = select_model_for_unit(unit, meta.model_by_unit_type, meta.default_model)
        log_route(unit_type, key)
        return key
