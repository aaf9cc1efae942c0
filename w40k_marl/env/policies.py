"""The policy protocol, used by opponents, delegates, registries and the load simulation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import ContentError, IllegalActionError, NotAnActionError, W40KError, brief
from ..observe.action_blocks import ActionBlock
from ..observe.layout import Layout
from .arguments import as_array, kind_of, seed_or_none

Policy: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.int8]], NDArray[np.integer]]
"""Function from observations (k, observation) and masks (k, actions) to actions (k,).

If its attribute ``takes_unit_types`` is true, it gets a third argument: the type names of the
acting units, str (k,), empty for a selection. Attributes ``seat``, ``kind`` ("micro" or "macro") or
``layout`` restrict the policy to these values; ``check_policy`` raises an error for other uses.
"""


class PolicyError(W40KError):
    """A policy was not found, or got masks of the wrong shape or type."""


class RandomPolicy:
    """Chooses uniformly among the legal actions; reproducible with ``seed``."""

    def __init__(self, seed: int | None = None) -> None:
        """Seed the generator. Raises ContentError if the seed is not a whole number of at least 0."""
        self.random = np.random.default_rng(seed_or_none(seed))

    def __call__(self, observations: NDArray[np.float32], masks: NDArray[np.int8]) -> NDArray[np.integer]:
        """Return actions (k,) for masks (k, actions), each with at least one legal action.

        Raises PolicyError if the masks are not a two-dimensional array of whole numbers or bools.
        """
        check_masks(masks)
        counted = np.cumsum(masks, axis=1, dtype=np.int64)
        chosen = (self.random.random(len(masks)) * counted[:, -1]).astype(np.int64)
        actions: NDArray[np.integer] = np.argmax(counted > chosen[:, None], axis=1)
        return actions


def ask(
    policy: Policy,
    observations: NDArray[np.float32],
    masks: NDArray[np.int8],
    unit_types: Callable[[], NDArray[np.str_]],
) -> NDArray[np.int64]:
    """Return the actions that a policy chooses, (k,); ``unit_types`` returns the types of the
    acting units.

    Raises NotAnActionError if the policy does not return one whole number per mask,
    IllegalActionError if a mask forbids its action.
    """
    if getattr(policy, "takes_unit_types", False):
        answer: object = policy(observations, masks, unit_types())  # type: ignore[call-arg]
    else:
        answer = policy(observations, masks)
    return _checked(answer, masks)


def check_masks(masks: object) -> None:
    """Raise PolicyError if the masks are not an array (k, n) of whole numbers or bools."""
    if not isinstance(masks, np.ndarray) or masks.ndim != 2 or masks.shape[1] == 0 or masks.dtype.kind not in "biu":
        raise PolicyError(f"masks: expected an array of shape (k, actions), got {brief(masks)}")


def _checked(answer: object, masks: NDArray[np.int8]) -> NDArray[np.int64]:
    """Return the actions of a policy's result, (k,), after the checks of ``ask``."""
    given = as_array(answer)
    if given.shape != (len(masks),) or given.dtype.kind not in "iu":
        got = kind_of(answer) if isinstance(answer, np.ndarray) else brief(answer)
        raise NotAnActionError(f"policy: expected whole numbers of shape ({len(masks)},), got {got}")
    inside = (given >= 0) & (given < masks.shape[1])
    actions = np.where(inside, given, 0).astype(np.int64)
    legal = inside & (masks[np.arange(len(masks)), actions] != 0)
    if not legal.all():
        row = int(np.argmin(legal))
        expected = f"one of {np.flatnonzero(masks[row]).tolist()}"
        raise IllegalActionError(f"policy: expected {expected}, got {given[row]} for observation {row}")
    return actions


def check_policy(argument: str, policy: object, kind: ActionBlock | None, side: int, layout: Layout) -> None:
    """Raise ContentError if a policy is not callable or is for another kind, seat or layout.

    ``kind`` None means the whole action space. A policy of None is always accepted. An attribute
    ``kind``, ``seat`` or ``layout`` is checked only if the policy has it.
    """
    if policy is None:
        return
    if not callable(policy):
        raise ContentError("argument", argument, "a policy: a function of observations and masks", brief(policy))
    check_fit(argument, policy, kind, side, layout)


def check_fit(argument: str, policy: object, kind: ActionBlock | None, side: int, layout: Layout) -> None:
    """Raise ContentError if the object's ``kind``, ``seat`` or ``layout`` differ from those given."""
    got = getattr(policy, "kind", kind)
    if got != kind:
        expected = "a policy for all actions" if kind is None else f"a {kind} policy"
        raise ContentError("argument", argument, expected, f"a {got} policy")
    seat = getattr(policy, "seat", side + 1)
    if seat != side + 1:
        raise ContentError("argument", argument, f"a policy for seat {side + 1}", f"one for seat {seat}")
    made_for = getattr(policy, "layout", layout)
    if isinstance(made_for, Layout):
        _check_layout(argument, made_for, layout)


def _check_layout(argument: str, made_for: Layout, layout: Layout) -> None:
    """Raise ContentError if two layouts differ; it names the first field that differs."""
    for name in (field.name for field in fields(Layout)):
        wanted, got = getattr(layout, name), getattr(made_for, name)
        if wanted != got:
            expected = f"a policy for the layout of the environment, {name}={wanted}"
            raise ContentError("argument", argument, expected, f"one for {name}={got}")


# --- module:callable -----------------------------------------------------------------------------------------

_searched: set[Path] = set()
"""Folders from which ``find_policy`` has imported; two of them may contain modules of the same
name.
"""


def find_policy(name: str, folder: Path | None = None) -> Policy:
    """Import the function ``module:callable`` from ``folder``, or from the installed packages.

    ``folder`` is by default the current one; its modules have priority over installed ones, and
    ``sys.path`` does not change. This runs the code of the module: ask for permission first, unless
    the user has typed the name. Raises PolicyError if there is no such callable, or if the module
    in the folder has the name of a standard module.
    """
    module_name, _, attribute = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not all(part.isidentifier() for part in (*module_name.split("."), attribute)):
        raise PolicyError(f"policy: expected module:callable, got {name!r}")
    try:
        found = getattr(_imported(module_name, _resolved(folder)), attribute, None)
    except PolicyError:
        raise
    except (Exception, SystemExit) as error:  # the module may raise anything
        reason = f"{type(error).__name__}: {error}"
        raise PolicyError(f"policy {name}: {module_name} cannot be imported: {reason}") from None
    if not callable(found):
        kind = "nothing" if found is None else type(found).__name__
        raise PolicyError(f"policy {name}: expected a callable {attribute} in {module_name}, got {kind}")
    policy: Policy = found
    return policy


def _resolved(folder: Path | None) -> Path | None:
    """Return the folder to search; None if the current folder has been deleted."""
    try:
        return (Path.cwd() if folder is None else folder).resolve()
    except OSError:
        return None


def _imported(name: str, folder: Path | None) -> ModuleType:
    """Import a module by its full name, from the folder if it contains the module."""
    top = name.partition(".")[0]
    invalidate_caches()  # the file may be new
    finder = None if folder is None else _FolderFinder(folder)
    if finder is None or not finder.has(top):
        return import_module(name)
    if top in sys.stdlib_module_names:
        raise PolicyError(f"policy: expected another name than {top}, which is a module of Python, in {folder}")
    with _searched_first(finder, top):
        return import_module(name)


class _FolderFinder:
    """Finds the modules of a folder, except those with the name of a standard module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Implement the hook of the import system; ``path`` is None for a top-level module."""
        return None if path is not None or name in sys.stdlib_module_names else self._spec(name)

    def has(self, name: str) -> bool:
        """Return True if the folder contains a module or package of this name."""
        return self._spec(name) is not None

    def _spec(self, name: str) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, [str(self.folder)])
        return None if spec is None or spec.origin is None else spec  # a folder without modules has no origin


def _home(name: str) -> Path | None:
    """Return the folder from which a module or package was loaded."""
    file = getattr(sys.modules.get(name), "__file__", None)
    if file is None:
        return None
    path = Path(file).resolve()
    return path.parents[1] if path.stem == "__init__" else path.parent


@contextmanager
def _searched_first(finder: _FolderFinder, wanted: str) -> Iterator[None]:
    """Import from a folder first; loaded modules of the same names from elsewhere remain unchanged."""
    others = _searched - {finder.folder}
    tops = {name.partition(".")[0] for name in sys.modules} - {"w40k_marl", "__main__"} - sys.stdlib_module_names
    clashing = {
        top
        for top in tops
        if (top == wanted and _home(top) != finder.folder) or (_home(top) in others and finder.has(top))
    }
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in clashing}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.partition(".")[0] in clashing]:
            del sys.modules[name]
        sys.modules.update(hidden)
        _searched.add(finder.folder)
