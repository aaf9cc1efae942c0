"""Errors of the meta-controller, one class for each case; all are ``MetaError``, a ``W40KError``.

The table "Errors" of ``docs/meta_controller.md`` has messages and remedies.
"""

from __future__ import annotations

from ..errors import W40KError


class MetaError(W40KError):
    """Base of all errors of this module."""


# --- routing: the model of a unit --------------------------------------------------------------------------


class UnitTypeMissingError(MetaError):
    """Raised if a unit has no ``unitType``, ``id`` or ``player``."""


class UnmappedUnitTypeError(MetaError):
    """Raised in strict mode if a unit type is not in the mapping."""


class UnknownModelError(MetaError):
    """Raised if the registry has not loaded an agent key; nothing is loaded during a game."""


class UnitTypesNotGivenError(MetaError):
    """Raised if a batch has open activations and their unit types are not passed."""


# --- the unit and the moment -------------------------------------------------------------------------------


class ForeignUnitError(MetaError):
    """Raised if the unit belongs to the other player."""


class UnitMismatchError(MetaError):
    """Raised if the game has no unit of this id, or one of another type or player."""


class NotActiveError(MetaError):
    """Raised if no activation of this unit is open: a unit must be selected before it acts."""


class NotToActError(MetaError):
    """Raised if the controlled player is not to act, or the game is over or has not begun."""


class BrokenTurnError(MetaError):
    """Raised if choosing changed the game, a step was not one
    action of one unit, or an invariant fails.
    """


# --- predictions -------------------------------------------------------------------------------------------


class MaskNotGivenError(MetaError):
    """Raised if a model is called without a mask: it would choose illegal actions."""


class EmptyMaskError(MetaError):
    """Raised if a mask has no legal action."""


class PredictionError(MetaError):
    """Raised if masks, unit types or the answer of a policy have another shape or dtype."""


class IllegalPredictionError(PredictionError):
    """Raised if a policy chooses an action that the mask does not allow; it is not replaced."""


# --- files of models ---------------------------------------------------------------------------------------


class ModelMissingError(MetaError):
    """Raised if the file of a model does not exist."""


class ModelFileError(MetaError):
    """Raised if the file of a model cannot be read, or its contract cannot be written."""


class UnsafeModelError(MetaError):
    """Raised if loading would run code that is stored in a file, without ``trust_models``."""


class MissingExtraError(MetaError, ModuleNotFoundError):
    """Raised if a saved model is loaded without PyTorch and sb3-contrib, the extra ``train``."""


class ContractError(MetaError):
    """Base of the errors for a model that was trained for another game."""


class ContractMissingError(ContractError):
    """Raised if a saved model has no contract beside it."""


class ActionSpaceMismatchError(ContractError):
    """Raised if the actions of a model differ from those of the game, in number or meaning."""


class LayoutMismatchError(ContractError):
    """Raised if the observations of a model differ from those of the game, in number or meaning."""


class RulesMismatchError(ContractError):
    """Raised if a model was trained under another version of the rules."""


class ModelChangedError(ContractError):
    """Raised if the file of a model is not the one that its contract was written for."""
