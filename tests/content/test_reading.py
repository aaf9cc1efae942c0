"""Files that are not JSON, or hold what JSON leaves open."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from w40k_marl.content.reading import read_json
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
