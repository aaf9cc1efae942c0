"""Routes rows to the models of a registry by the types of the active units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ContentError, brief
from .block_policy import ActionBlock, Actions, Masks, Vectors, as_array, check_shapes
from .errors import ForeignUnitError, PredictionError, UnitTypesNotGivenError
from .meta_controller import Unit, log_route, select_model_for_unit
from .registry import ModelsRegistry, check_registry


class RoutedPolicy:
    """The models of a registry as one micro policy, for ``MacroEnv``, ``MicroEnv`` and batches.

    No model is loaded after ``load_registry``. It plays the controlled player of the registry; rows
    of the other player are detected only by ``own_types``.
    """

    takes_unit_types = True
    kind: ActionBlock = "micro"

    def __init__(self, registry: ModelsRegistry, *, own_types: frozenset[str] = frozenset()) -> None:
        """Take models, mapping and default of a registry.

        ``own_types`` are all unit types of the controlled player; empty if they are not known.
        Raises ContentError if an argument has another type.
        """
        check_registry(registry)
        if not isinstance(own_types, frozenset):
            raise ContentError("argument", "own_types", "a frozenset of unit types", brief(own_types))
        self.registry = registry
        self.layout = registry.layout
        self.seat = registry.meta.controlled_player
        self._own_types = own_types

    def __call__(self, observations: Vectors, masks: Masks, unit_types: NDArray[np.str_] | None = None) -> Actions:
        """Return actions (k,) of 13 for observations (k, observation_size) and masks (k, 13).

        ``unit_types``, str (k,), are the types of the active units; each model is called once.
        Raises UnitTypesNotGivenError without them, ForeignUnitError for a type that is not among
        ``own_types``, UnmappedUnitTypeError in strict mode for a type without a model, and for
        arguments and predictions that do not fit the MetaErrors that ``BlockPolicy.__call__``
        lists.
        """
        name = f"player {self.seat}"
        check_shapes(name, self.layout, self.kind, observations, masks)
        if unit_types is None:
            raise UnitTypesNotGivenError(
                f"{name}: expected the unit types of {len(masks)} open activations, got none "
                "(seats pass them on; a BatchEnv has them in type_names())"
            )
        types = as_array(name, unit_types)
        if types.shape != (len(masks),) or types.dtype.kind != "U":
            raise PredictionError(
                f"{name}: expected unit types of shape ({len(masks)},), got {types.shape} of {types.dtype}"
            )
        found, type_of_row = np.unique(types, return_inverse=True)
        keys = [self._model_of_type(unit_type) for unit_type in found.tolist()]
        actions = np.zeros(len(masks), dtype=np.int64)
        for key in dict.fromkeys(keys):
            rows = np.flatnonzero(np.array([other == key for other in keys])[type_of_row])
            actions[rows] = self.registry[key](observations[rows], masks[rows])
        return actions

    def model_of(self, unit: Unit) -> str:
        """Return the agent key of a unit's model and log the route.

        Raises UnitTypeMissingError or UnmappedUnitTypeError, as ``select_model_for_unit`` does.
        """
        meta = self.registry.meta
        key = select_model_for_unit(unit, meta.model_by_unit_type, meta.default_model)
        log_route(unit["unitType"], key)
        return key

    def _model_of_type(self, unit_type: str) -> str:
        """Return the agent key of the model of a row. Raises
        ForeignUnitError for a foreign type.
        """
        if self._own_types and unit_type not in self._own_types:
            own = ", ".join(sorted(self._own_types))
            raise ForeignUnitError(
                f'unitType: expected one of the units of player {self.seat} ({own}), got "{unit_type}" '
                "(give rows in which this player is to act)"
            )
        return self.model_of({"unitType": unit_type, "player": self.seat})
