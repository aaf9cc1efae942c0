"""The refusals of the meta-controller: one class for each case, all under ``MetaError``, so under ``W40KError``.

``docs/meta_controller.md`` has the table of them.
"""

from __future__ import annotations

from ..errors import W40KError


class MetaError(W40KError):
    """Base of all below."""


# --- routing: which model for which unit -------------------------------------------------------------------


class UnitTypeMissingError(MetaError):
    """A unit without ``unitType``, or without ``id`` or ``player``."""


class UnmappedUnitTypeError(MetaError):
    """No model for a unit type: it is not in the mapping, and there is no default (strict mode)."""


class UnknownModelError(MetaError):
    """An agent key that the registry has not loaded; nothing is loaded during a game."""


class UnitTypesNotGivenError(MetaError):
    """A batch with open activations, and nobody said of which unit types."""


# --- the unit and the moment -------------------------------------------------------------------------------


class ForeignUnitError(MetaError):
    """The unit belongs to the other player."""


class UnitMismatchError(MetaError):
    """The unit is not the one that the game has under this id."""


class NotActiveError(MetaError):
    """No activation of this unit is open: nothing acts before it is activated."""


class NotToActError(MetaError):
    """The controlled player is not to act, or the game is over."""


class BrokenTurnError(MetaError):
    """An invariant of the turn does not hold: somebody touched the state, or a step was not one action."""


# --- predictions -------------------------------------------------------------------------------------------


class MaskNotGivenError(MetaError):
    """A prediction without a mask: a model would pick illegal actions without a word."""


class EmptyMaskError(MetaError):
    """A mask without a legal action."""


class PredictionError(MetaError):
    """A policy answered with something that is no action for each observation."""


class IllegalPredictionError(PredictionError):
    """A policy chose an action that the mask does not allow; it is not replaced by another."""


# --- files of models ---------------------------------------------------------------------------------------


class ModelMissingError(MetaError):
    """The file of a model is not on the disk."""


class ModelFileError(MetaError):
    """The file of a model cannot be read as one."""


class UnsafeModelError(MetaError):
    """Loading this file would run code that is stored in it, and nobody has allowed that."""


class MissingExtraError(MetaError, ModuleNotFoundError):
    """A saved model needs PyTorch and sb3-contrib, the extra ``train``."""


class ContractError(MetaError):
    """Base of the differences between a model and the game it is to play."""


class ContractMissingError(ContractError):
    """A model without the file that says what it was made for."""


class ActionSpaceMismatchError(ContractError):
    """Other actions than those of the game, in number or meaning."""


class LayoutMismatchError(ContractError):
    """Other observations than those of the game, in number or meaning."""


class RulesMismatchError(ContractError):
    """Learned under another version of the rules."""


class ModelChangedError(ContractError):
    """The file of the model is not the one that its contract was written for."""
