"""Reads a JSON file into a model, and turns everything that can go wrong into one ``ContentError``.

The models of ``models.py`` state what a file may hold; the sentences of the errors are made from them here,
so that a message names the key by its full place and never shows the traceback of a library.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect as shapes

from ..errors import ContentError, brief, did_you_mean
from .describing import alternatives, describe
from .files import TOP, read_file

COMMENT = "_comment"
"""A key that every object of every file may carry and that nothing reads."""

SCHEMA = "$schema"
"""A key that the outermost object of every file may carry: editors look there for the schema."""

DEEPEST = 32
"""How many lists and objects may stand inside one another."""

Place = tuple[str | int, ...]
Model = TypeVar("Model")

_UTF8_MARK = b"\xef\xbb\xbf"
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMED_FIELD = re.compile(r"(?:unknown|required) field `(.*?)`", re.DOTALL)
_WHERE = re.compile(r".* - at `\$(.*)`$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


def read_model(path: Path, model: type[Model]) -> Model:
    """Read a JSON file as ``model``. Raises ContentError for a file or a content that does not fit."""
    return as_model(read_json(path), model, str(path))


def read_json(path: Path) -> object:
    """Read a file as ``parse_json`` does. Raises ContentError, also where the file cannot be read."""
    return parse_json(read_file(path), str(path))


def parse_json(content: bytes, file: str) -> object:
    """Decode plain UTF-8 JSON; ``file`` is the name that errors carry.

    Raises ContentError for anything else, a byte-order mark and a repeated key included (spec 01 4.1 and 4.3).
    """
    text = _decoded(content, file)
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, file))
    except ContentError:
        raise
    except RecursionError:
        raise _too_deep(file) from None
    except json.JSONDecodeError as error:
        got = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise ContentError(file, TOP, "valid JSON", got) from None
    except ValueError as error:  # a whole number of thousands of digits
        raise ContentError(file, TOP, "valid JSON", str(error)) from None


def as_model(data: object, model: type[Model], file: str) -> Model:
    """Check decoded JSON against ``model``; ``file`` is the name that errors carry. Raises ContentError."""
    cleaned = _clean(_without_schema(data, file), file, ())
    try:
        return msgspec.convert(cleaned, type=model)
    except msgspec.ValidationError as error:
        raise _refusal(cleaned, model, file, str(error)) from None


def shown(value: object) -> str:
    """Return a value as it would stand in a file, cut short where it is long."""
    try:
        text = json.dumps(value, default=brief)
    except (ValueError, TypeError):  # no file could hold it
        return brief(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def spelled(place: Place) -> str:
    """Return a place as errors name it: ``units[0].player``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return text.removeprefix(".") or TOP


def _decoded(content: bytes, file: str) -> str:
    if content.startswith(_UTF8_MARK):
        raise ContentError(file, TOP, "UTF-8 without a byte-order mark", "a byte-order mark")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ContentError(file, TOP, "UTF-8 text", f"an invalid byte at offset {error.start}") from None


def _too_deep(file: str) -> ContentError:
    return ContentError(file, TOP, "lists and objects within reason", "nesting that is too deep")


def _object(pairs: list[tuple[str, Any]], file: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found and key != COMMENT:
            raise ContentError(file, key, "each key once in an object", "the key twice")
        found[key] = value
    return found


def _without_schema(data: object, file: str) -> object:
    """The outermost value without the key that editors add. Raises ContentError where that is no string."""
    if not isinstance(data, dict) or SCHEMA not in data:
        return data
    if not isinstance(data[SCHEMA], str):
        raise ContentError(file, SCHEMA, "a string", shown(data[SCHEMA]))
    return {key: value for key, value in data.items() if key != SCHEMA}


def _clean(data: object, file: str, place: Place) -> object:
    """Copy decoded JSON without its comments, refusing NaN, infinity and text that is not for reading."""
    if len(place) > DEEPEST:
        raise _too_deep(file)
    if isinstance(data, dict):
        kept = [(_clean(key, file, place), value) for key, value in data.items() if key != COMMENT]
        return {key: _clean(value, file, (*place, str(key))) for key, value in kept}
    if isinstance(data, list | tuple):
        return [_clean(value, file, (*place, index)) for index, value in enumerate(data)]
    if isinstance(data, float) and not math.isfinite(data):
        raise ContentError(file, spelled(place), "a finite number", str(data))
    if isinstance(data, str) and (character := unreadable(data)):
        raise ContentError(file, spelled(place), "text without control characters", f"{character} in {shown(data)}")
    return data


def unreadable(text: str) -> str:
    """Name the first character that text for people may not hold, such as ``U+001B``; empty where there is none.

    These are control characters, line and paragraph separators, marks of direction, and halves of surrogate pairs.
    """
    found = _UNREADABLE.search(text)
    if found is None:
        return ""
    half = "half of a surrogate pair, " if unicodedata.category(found[0]) == "Cs" else ""
    return f"{half}U+{ord(found[0]):04X}"


def _refusal(data: object, model: Any, file: str, message: str) -> ContentError:
    try:
        return _explained(data, model, file, message)
    except (LookupError, StopIteration, TypeError, ValueError):  # a key that reads like the end of a message
        return ContentError(file, TOP, "keys and values of the documented form", message)


def _explained(data: object, model: Any, file: str, message: str) -> ContentError:
    place, message = _locate(data, model, message)
    node = _shape_at(_shape(model), place)
    field = _NAMED_FIELD.search(message)
    if field is None:
        return ContentError(file, spelled(place), describe(node), shown(_value_at(data, place)))
    name = field.group(1)
    key = spelled((*place, name))
    if "missing required" in message:
        return ContentError(file, key, describe(_shape_at(node, (name,))), "nothing: the key is missing")
    known = [entry.encode_name for entry in _fields(node)]
    hint = did_you_mean(name, known)
    return ContentError(file, key, f"one of the keys {alternatives(known)}", "an unknown key", hint)


def _locate(data: object, model: Any, message: str) -> tuple[Place, str]:
    """Return where the error is, and its message.

    The library writes ``[...]`` for an entry of a table instead of its key; the entry is found by checking
    the entries one at a time.
    """
    place = _steps(message)
    if "..." not in place:
        return place, message
    head = place[: place.index("...")]
    for key, value in _value_at(data, head).items():
        try:
            msgspec.convert(_with_value_at(data, head, {key: value}), type=model)
        except msgspec.ValidationError as error:
            found = _steps(str(error))
            if found[: len(head) + 1] == (*head, "..."):
                return (*head, key, *found[len(head) + 1 :]), str(error)
    raise LookupError(message)


def _steps(message: str) -> Place:
    where = _WHERE.match(message)
    found = _STEP.findall(where.group(1)) if where else []
    return tuple(int(index) if index.isdigit() else name or index for name, index in found)


def _value_at(data: Any, place: Place) -> Any:
    for step in place:
        data = data[step]
    return data


def _with_value_at(data: Any, place: Place, value: object) -> Any:
    if not place:
        return value
    return {**data, place[0]: _with_value_at(data[place[0]], place[1:], value)}


@cache
def _shape(model: Any) -> shapes.Type:
    return shapes.type_info(model)


def _shape_at(node: shapes.Type, place: Place) -> shapes.Type:
    for step in place:
        node = next(inner for option in _options(node) if (inner := _inside(option, step)) is not None)
    return node


def _options(node: shapes.Type) -> tuple[shapes.Type, ...]:
    if isinstance(node, shapes.Metadata):
        return _options(node.type)
    return node.types if isinstance(node, shapes.UnionType) else (node,)


def _inside(node: shapes.Type, step: str | int) -> shapes.Type | None:
    if isinstance(node, shapes.DictType):
        return node.value_type
    if isinstance(node, shapes.ListType | shapes.VarTupleType):
        return node.item_type
    if isinstance(node, shapes.TupleType) and isinstance(step, int):
        return node.item_types[step]
    return next((field.type for field in _fields(node) if field.encode_name == step), None)


def _fields(node: shapes.Type) -> tuple[shapes.Field, ...]:
    structures = (option for option in _options(node) if isinstance(option, shapes.StructType))
    return tuple(field for structure in structures for field in structure.fields)
