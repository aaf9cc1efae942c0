"""Who plays: at random, always the first legal action, or a function of the user's, named ``module:callable``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..console import described
from ..errors import W40KError

RANDOM, FIRST = "random", "first"
BUILT_IN = (RANDOM, FIRST)

Policy: TypeAlias = Callable[[NDArray[np.float32], NDArray[np.int8], NDArray[np.float64]], Any]
"""``policy(observations, masks, uniforms) -> actions``, a row for each game that waits for an action.

Shapes ``(n, observation)``, ``(n, actions)``, ``(n,)``; the answer is ``n`` whole numbers. ``uniforms`` holds a number
from 0 to below 1 for each row, from the stream of its game: the only chance that a policy should use, and each row by
itself, if its games are to be the same whatever the number of workers.
"""


class PolicyError(W40KError):
    """A policy that cannot be found or that answers with no actions."""


def find_policy(name: str) -> Policy | None:
    """The function that ``name`` stands for; None for a built-in one. Raises PolicyError."""
    if name in BUILT_IN:
        return None
    module_name, colon, attribute = name.partition(":")
    if not (colon and module_name and attribute):
        raise PolicyError(f"expected {', '.join(BUILT_IN)} or module:callable, got {name!r}")
    try:
        here = str(Path.cwd())
        if here not in sys.path:  # as `python -m` has it; behind everything that is installed
            sys.path.append(here)
    except FileNotFoundError:  # the current folder has been deleted: nothing is found there
        pass
    try:
        found = getattr(importlib.import_module(module_name), attribute, None)
    except ImportError as error:
        raise PolicyError(f"{module_name} cannot be imported: {error}") from None
    except (Exception, SystemExit) as error:  # whatever the module does when it is imported
        raise PolicyError(f"{module_name} cannot be imported: {described(error)}") from error
    if not callable(found):
        kind = "nothing" if found is None else type(found).__name__
        raise PolicyError(f"expected a callable {attribute} in {module_name}, got {kind}")
    policy: Policy = found
    return policy


def ask(
    policy: Policy, observations: NDArray[np.float32], masks: NDArray[np.int8], uniforms: NDArray[np.float64]
) -> NDArray[np.int64]:
    """The actions that a policy answers with. Raises PolicyError where they are none, or where it raises."""
    try:
        answer = np.asarray(policy(observations, masks, uniforms))
    except W40KError:
        raise
    except Exception as error:
        raise PolicyError(f"--policy: expected actions, got {described(error)}") from error
    if answer.shape != (len(masks),) or answer.dtype.kind not in "iu":
        raise PolicyError(
            f"--policy: expected whole numbers of shape ({len(masks)},), got {answer.dtype} of shape {answer.shape}"
        )
    return answer.astype(np.int64)
