"""Reads a JSON file into a model. Everything that can go wrong becomes one ``ContentError``.

A model is a msgspec ``Struct`` or a frozen dataclass whose ``__post_init__`` raises ContentError. Keys are checked
here; for values, ``MESSAGES`` lists the messages of msgspec that are understood.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import inspect as shapes

from ..errors import ContentError, brief, did_you_mean
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
_AT = r"(?: - at (?P<key>`key` in )?`\$(?P<place>[^`]*)`)?"
_PLAIN = (shapes.TupleType, shapes.IntType, shapes.FloatType, shapes.StrType)  # hold no keys
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")

MESSAGES: Mapping[str, re.Pattern[str]] = {
    name: re.compile(text + _AT, re.DOTALL)
    for name, text in {
        "type": r"Expected `[^`]+`(?:, got `[^`]+`)?",
        "bound": r"Expected `[^`]+` (?:>=|<=|>|<) \S+",
        "length": r"Expected `[^`]+` of length (?:(?:>=|<=) )?\d+(?:, got \d+)?",
        "choice": r"Invalid enum value .*?",
        "range": r"(?:Number|Integer value) out of range",
        "other": r".*?",  # about keys; or in the words of another version, which are shown as they are
    }.items()
}
"""The messages of msgspec about values, by name: ``<text> - at `$<place>` ``, without the end at the top level."""


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
    message: Message | None = None
    try:
        found = msgspec.convert(cleaned, type=model)
    except msgspec.ValidationError as error:
        message = read_message(error)
    form: Any = model  # a class, or one like dict[str, Layout]
    if _ignores_keys(form) if message is None else (message.name == "other" and message.cause is None):
        _check_keys(cleaned, _shape(form), file, ())
    if message is not None:
        raise _refusal(cleaned, model, file, message)
    return found


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


def _check_keys(data: object, node: shapes.Type, file: str, place: Place) -> None:
    """Raise ContentError for the first unknown or missing key."""
    for option in _options(node):
        if isinstance(option, shapes.StructType | shapes.DataclassType) and isinstance(data, dict):
            _check_keys_of(data, option, file, place)
        elif isinstance(option, shapes.DictType) and isinstance(data, dict):
            for key, value in data.items():
                _check_keys(value, option.value_type, file, (*place, key))
        elif isinstance(option, shapes.ListType) and isinstance(data, list):
            if any(not isinstance(item, _PLAIN) for item in _options(option.item_type)):
                for index, value in enumerate(data):
                    _check_keys(value, option.item_type, file, (*place, index))
        elif isinstance(option, shapes.VarTupleType) and isinstance(data, list):
            _check_keys(data, shapes.ListType(option.item_type), file, place)


def _check_keys_of(
    data: dict[str, object], node: shapes.StructType | shapes.DataclassType, file: str, place: Place
) -> None:
    fields = {field.encode_name: field for field in node.fields}
    for key, value in data.items():
        if key in fields:
            _check_keys(value, fields[key].type, file, (*place, key))
        elif isinstance(node, shapes.DataclassType) or node.forbid_unknown_fields:
            hint, expected = did_you_mean(str(key), fields), f"one of the keys {alternatives(fields)}"
            raise ContentError(file, spelled((*place, str(key))), expected, "an unknown key", hint)
    for key, field in fields.items():
        if field.required and key not in data:
            raise ContentError(file, spelled((*place, key)), describe(field.type), "nothing: the key is missing")


def _refusal(data: object, model: Any, file: str, message: Message) -> ContentError:
    try:
        message = _located(data, model, message)
        node, value = _shape_at(_shape(model), message.place), _value_at(data, message.place)
    except (LookupError, StopIteration, TypeError):  # a place that is written in another way than today
        message = message._replace(name="other")
    key = spelled(message.place)
    if isinstance(message.cause, ContentError):
        cause = message.cause
        return ContentError(file, spelled((*message.place, cause.key)), cause.expected, cause.got, cause.hint)
    if message.name == "other":
        return ContentError(file, key, "a value of the documented form", message.text)
    if message.of_key:
        [table] = (option for option in _options(node) if isinstance(option, shapes.DictType))
        return ContentError(file, key, f"keys of which each is {describe(table.key_type)}", shown(list(value)))
    return ContentError(file, key, describe(node), shown(value))


class Message(NamedTuple):
    """A message of msgspec about a value."""

    name: str  # a key of MESSAGES
    text: str  # all of it
    place: Place  # of the value; "..." in the place of the key of a table
    of_key: bool  # it is about a key of the table at ``place``
    cause: BaseException | None  # what ``__post_init__`` of a dataclass has raised


def read_message(error: msgspec.ValidationError) -> Message:
    """Return the parts of an error of msgspec, with the name of its form in ``MESSAGES``."""
    text, cause = str(error), error.__cause__
    told = text if cause is None else text.removeprefix(str(cause))
    name, found = next((name, found) for name, form in MESSAGES.items() if (found := form.fullmatch(told)))
    steps = _STEP.findall(found["place"] or "")
    place = tuple(int(index) if index.isdigit() else name or index for name, index in steps)
    return Message(name, text, place, found["key"] is not None, cause)


def _located(data: Any, model: Any, message: Message) -> Message:
    """Return the message with the keys of tables in its place, by checking the entries one at a time."""
    while "..." in message.place:
        head = message.place[: message.place.index("...")]
        for key, value in _value_at(data, head).items():
            narrowed = _with_value_at(data, head, {key: value})
            try:
                msgspec.convert(narrowed, type=model)
            except msgspec.ValidationError as error:
                found = read_message(error)
                path = zip((*head, "..."), found.place[: len(head) + 1], strict=False)
                if len(found.place) > len(head) and all(told in (step, "...") for step, told in path):
                    message = found._replace(place=(*head, key, *found.place[len(head) + 1 :]))
                    data = narrowed
                    break
        else:
            raise LookupError(message.text)
    return message


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


@cache
def _ignores_keys(model: Any) -> bool:
    """Return whether there are dataclasses in a model, of which msgspec ignores unknown keys."""
    return shapes.DataclassType.__name__ in repr(_shape(model))


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
        return node.item_types[step] if step < len(node.item_types) else None
    return next((field.type for field in _fields(node) if field.encode_name == step), None)


def _fields(node: shapes.Type) -> tuple[shapes.Field, ...]:
    objects = (option for option in _options(node) if isinstance(option, shapes.StructType | shapes.DataclassType))
    return tuple(field for one in objects for field in one.fields)


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
