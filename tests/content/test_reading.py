"""Files that are not JSON, or hold what JSON leaves open."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from w40k_marl.content.reading import MESSAGES, as_model, read_json, read_message
from w40k_marl.content.scenario import build_scenario, load_scenario
from w40k_marl.errors import ContentError, did_you_mean

FILES = {
    "empty": (b"", "(top level)", "valid JSON", "line 1, column 1"),
    "syntax error": (b'{"units": [}', "(top level)", "valid JSON", "line 1, column 12"),
    "rest after the end": (b"{} {}", "(top level)", "valid JSON", "Extra data"),
    "byte-order mark": (b"\xef\xbb\xbf{}", "(top level)", "without a byte-order mark", "a byte-order mark"),
    "not UTF-8": ('{"name": "é"}'.encode("latin-1"), "(top level)", "UTF-8 text", "offset 10"),
    "UTF-16": ("{}".encode("utf-16"), "(top level)", "UTF-8 text", "offset 0"),
    "key twice": (b'{"units": [{"id": 1, "id": 2}]}', "id", "each key once", "twice"),
    "too deep": (b"[" * 100_000, "(top level)", "within reason", "too deep"),
    "number too long": (b"[" + b"9" * 5000 + b"]", "(top level)", "valid JSON", "digits"),
    "NaN": (b'{"units": [{"col": NaN}]}', "units[0].col", "a finite number", "nan"),
    "number beyond floats": (b'{"units": [{"col": 1e999}]}', "units[0].col", "a finite number", "inf"),
    "half a character": (b'{"units": [{"id": "\\ud800"}]}', "units[0].id", "text", "surrogate"),
    "half a character in a key": (b'{"\\udfff": 1}', "(top level)", "text", "surrogate"),
}


@pytest.mark.parametrize("case", FILES)
def test_file_is_refused(case: str, tmp_path: Path) -> None:
    raw, key, expected, got = FILES[case]
    path = tmp_path / "case.json"
    path.write_bytes(raw)
    with pytest.raises(ContentError) as caught:
        load_scenario(path)
    assert (caught.value.file, caught.value.key) == (str(path), key)
    assert expected in caught.value.expected
    assert got in caught.value.got


@pytest.mark.parametrize("name", ["absent.json", "absent/../absent.json", "\0.json", "."])
def test_file_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    with pytest.raises(ContentError, match="expected a file that can be read"):
        load_scenario(tmp_path / name)


@pytest.mark.parametrize(
    "key",
    [
        "a`b",
        "x` - at `$.units",
        "x` - at `$.units[0].player",
        "x` - at `$.nowhere",
        "x` - at `$.board[...].y",
        "",
    ],
)
def test_key_that_reads_like_a_message(key: str) -> None:
    units = [{"id": 1, "unit_type": "Intercessor", "player": 1}]
    for data in ({"units": units, key: 1}, {"units": [{**units[0], key: 1}]}):
        with pytest.raises(ContentError):
            build_scenario(data, name="case")


def test_nesting_of_values_from_elsewhere_is_bounded_too() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ContentError, match="too deep"):
        build_scenario(deep, name="case")


def test_comment_may_stand_twice(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"_comment": "a", "_comment": "b"}', encoding="utf-8")
    assert read_json(path) == {"_comment": "b"}


def test_errors_can_be_sent_between_processes() -> None:
    error = ContentError("a.json", "units", "a list", "3", "did you mean this?")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error) == "a.json: units: expected a list, got 3 (did you mean this?)"
    assert (copy.file, copy.key, copy.expected, copy.got, copy.hint) == error.args


def test_no_suggestion_when_nothing_is_near() -> None:
    assert did_you_mean("xyz", ["units", "objectives"]) == ""


@dataclass(frozen=True)
class Checked:
    """A dataclass that checks itself, as those of the package do."""

    count: int = 1
    flag: bool = False

    def __post_init__(self) -> None:
        if self.count > 9:
            raise ContentError("checked", "count", "at most 9", str(self.count))


class Entry(Struct, forbid_unknown_fields=True, kw_only=True):
    """A value of every kind that the files of the package have."""

    whole: Annotated[int, Meta(ge=1, le=5)] = 1
    number: Annotated[float, Meta(ge=0, le=9)] = 1.0
    pair: tuple[int, int] = (0, 0)
    names: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)] | None = None
    one: Literal["a", "b"] = "a"
    dice: Annotated[int, Meta(ge=1)] | Literal["D3"] = 1
    table: dict[Annotated[str, Meta(min_length=1)], Annotated[int, Meta(ge=1)]] = {}
    checked: Checked = Checked()


# What is wrong, the name of msgspec's message, then key, expected and got of the error that is made from it.
VALUES: list[tuple[object, str, str, str, str]] = [
    ({"whole": "x"}, "type", "whole", "a whole number from 1 to 5", '"x"'),
    ({"whole": True}, "type", "whole", "a whole number from 1 to 5", "true"),
    ({"dice": 1.5}, "type", "dice", 'a whole number, 1 or more or "D3"', "1.5"),
    ({"names": "x"}, "type", "names", "a list that is not empty or null", '"x"'),
    ({"checked": None}, "type", "checked", "an object", "null"),
    ({"checked": {"flag": 1}}, "type", "checked.flag", "true or false", "1"),
    ({"pair": [1, "x"]}, "type", "pair[1]", "a whole number", '"x"'),
    (3, "type", "(top level)", "an object", "3"),
    ({"whole": 0}, "bound", "whole", "a whole number from 1 to 5", "0"),
    ({"number": 9.5}, "bound", "number", "a number from 0 to 9", "9.5"),
    ({"number": -1}, "bound", "number", "a number from 0 to 9", "-1"),
    ({"table": {"a": 1, "b": 0}}, "bound", "table.b", "a whole number, 1 or more", "0"),
    ({"pair": [1, 2, 3]}, "length", "pair", "a pair [column, row] of whole numbers", "[1, 2, 3]"),
    ({"names": []}, "length", "names", "a list that is not empty or null", "[]"),
    ({"names": ["a", ""]}, "length", "names[1]", "a string that is not empty", '""'),
    ({"table": {"": 1}}, "length", "table", "keys of which each is a string that is not empty", '[""]'),
    ({"one": "c"}, "choice", "one", '"a" or "b"', '"c"'),
    ({"one": "c` - at `$.whole"}, "choice", "one", '"a" or "b"', '"c` - at `$.whole"'),
    ({"number": 10**400}, "range", "number", "a number from 0 to 9", "1000"),
    ({"checked": {"count": 10}}, "other", "checked.count", "at most 9", "10"),
    ({"checked": {"conut": 1}}, "", "checked.conut", "one of the keys count or flag", "an unknown key"),
    ({"hole": 1}, "other", "hole", "one of the keys whole, number", "an unknown key"),
]


@pytest.mark.parametrize(("data", "name", "key", "expected", "got"), VALUES, ids=str)
@pytest.mark.parametrize("deep", [False, True], ids=["alone", "in a table"])
def test_every_message_of_msgspec_is_understood(
    data: object, name: str, key: str, expected: str, got: str, deep: bool
) -> None:
    """Provokes each form from msgspec itself: fails where another version words it differently."""
    model: Any = dict[str, Entry] if deep else Entry
    value: object = {"fine": {}, "x": data} if deep else data
    if name:
        with pytest.raises(msgspec.ValidationError) as raised:
            msgspec.convert(value, model)
        assert read_message(raised.value).name == name
    else:
        msgspec.convert(value, model)  # msgspec ignores unknown keys of dataclasses
    with pytest.raises(ContentError) as caught:
        as_model(value, model, "case.json")
    place = key if not deep else "x" if key == "(top level)" else f"x.{key}"
    assert (caught.value.file, caught.value.key) == ("case.json", place)
    assert expected in caught.value.expected
    assert caught.value.got.startswith(got)


def test_every_form_of_message_is_provoked() -> None:
    assert {name for _, name, *_ in VALUES if name} == set(MESSAGES)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Something new - at `$.table`", "table"),
        ("Something new - at `$.pair[1]`", "pair[1]"),
        ("Something new - at `$.table[...]`", "table.b"),
        ("Something new - at `$.nowhere.at.all[3]`", "nowhere.at.all[3]"),
        ("Something new at $.table", "(top level)"),
        ("Expected `int`, got `str` (at $.whole)", "(top level)"),
        ("", "(top level)"),
    ],
)
def test_message_in_other_words_is_shown_as_it_is(text: str, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def convert(data: Any, **_: object) -> None:
        if data != {"table": {"a": 1}}:
            raise msgspec.ValidationError(text)

    monkeypatch.setattr(msgspec, "convert", convert)
    with pytest.raises(ContentError) as caught:
        as_model({"table": {"a": 1, "b": 2}}, Entry, "case.json")
    assert (caught.value.file, caught.value.key) == ("case.json", key)
    assert caught.value.got == text


def test_missing_key_is_named() -> None:
    class Whole(Struct):
        inner: dict[str, Struct]
        name: str

    for data, key in (({"name": "a"}, "inner"), ({"inner": {}}, "name")):
        with pytest.raises(ContentError, match="got nothing: the key is missing") as caught:
            as_model(data, Whole, "case.json")
        assert caught.value.key == key


def test_keys_of_dataclasses_are_checked_however_deep() -> None:
    model: Any = dict[str, list[Checked] | None]
    assert as_model({"a": [{"count": 3}], "b": None}, model, "case.json") == {"a": [Checked(3)], "b": None}
    with pytest.raises(ContentError, match=r'a\[1\]\.counts: expected one of the keys count or flag.*mean "count"'):
        as_model({"a": [{}, {"counts": 3}]}, model, "case.json")
    with pytest.raises(ContentError, match=r"case\.json: a\[1\]\.count: expected at most 9, got 11"):
        as_model({"a": [{}, {"count": 11}]}, model, "case.json")
