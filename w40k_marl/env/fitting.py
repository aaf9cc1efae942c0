"""Whether a policy that is handed to a seat fits it, by what the policy says of itself."""

from __future__ import annotations

from dataclasses import fields

from ..errors import ContentError, brief
from ..observe.blocks import Kind
from ..observe.layout import Layout


def check_policy(argument: str, policy: object, kind: Kind | None, side: int, layout: Layout) -> None:
    """Refuse what is no function, and a policy whose ``kind``, ``seat`` or ``layout`` is another than is needed here.

    ``kind`` None is the whole action space. None is no policy and fits everywhere; a policy without one of these
    attributes is not asked about it. Raises ContentError.
    """
    if policy is None:
        return
    if not callable(policy):
        raise ContentError("argument", argument, "a policy: a function of observations and masks", brief(policy))
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
    """Name the first field in which two layouts differ."""
    for name in (field.name for field in fields(Layout)):
        wanted, got = getattr(layout, name), getattr(made_for, name)
        if wanted != got:
            expected = f"a policy for the layout of the environment, {name}={wanted}"
            raise ContentError("argument", argument, expected, f"one for {name}={got}")
