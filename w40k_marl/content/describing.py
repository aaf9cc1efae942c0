"""Says in words what a model allows at a place: the "expected" half of every error about a file."""

from __future__ import annotations

import json
from collections.abc import Iterable

from msgspec import inspect as shapes


def alternatives(values: Iterable[object]) -> str:
    """Return ``1, 2 or 3``; strings as they are, so that the caller decides about quotes."""
    *firsts, last = [str(value) for value in values]
    return f"{', '.join(firsts)} or {last}" if firsts else last


def describe(node: shapes.Type) -> str:
    """Return what a value of this shape is: ``a whole number from 2 to 6``, ``"D3" or "D6"``."""
    match node:
        case shapes.Metadata():
            return describe(node.type)
        case shapes.UnionType():
            return alternatives(describe(option) for option in node.types)
        case shapes.LiteralType():
            return alternatives(json.dumps(value) for value in node.values)
        case shapes.IntType():
            return _number("a whole number", node)
        case shapes.FloatType():
            return _number("a number", node)
        case shapes.StrType():
            return "a string that is not empty" if node.min_length else "a string"
        case shapes.ListType() | shapes.VarTupleType():
            return "a list that is not empty" if node.min_length else "a list"
        case shapes.TupleType():
            return "a pair [column, row] of whole numbers"
        case shapes.BoolType():
            return "true or false"
        case shapes.NoneType():
            return "null"
        case _:
            return "an object"


def _number(what: str, node: shapes.IntType | shapes.FloatType) -> str:
    if node.ge is not None and node.le is not None:
        return f"{what} from {node.ge:g} to {node.le:g}"
    if node.ge is not None:
        return f"{what}, {node.ge:g} or more"
    return f"{what}, {node.le:g} or less" if node.le is not None else what
