"""Files that are broken, hostile or of the wrong kind: every loader refuses them with an error of this package.

Whatever a path leads to, nothing waits for ever, and no message holds a character that a terminal would obey.
"""

from __future__ import annotations

import copy
import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.check.kinds import CHECKS, check_file, kind_of
from w40k_marl.apps.play.saved_game import read_saved
from w40k_marl.content import files
from w40k_marl.content.game_rules import load_game_rules
from w40k_marl.content.paths import CONTENT
from w40k_marl.content.scenario import load_scenario, scenario_path
from w40k_marl.env.session import Session
from w40k_marl.errors import ContentError, W40KError
from w40k_marl.policy.config import meta_config, policy_config
from w40k_marl.reward.config import rewards_config
from w40k_marl.train.config import training_config

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted(path for folder in ("scenarios", "agents") for path in (ROOT / folder).rglob("*.json"))
SHIPPED += sorted(CONTENT.rglob("*.json"))
LOADERS: dict[str, Callable[[Path], object]] = {
    "scenario": load_scenario,
    "rewards": rewards_config,
    "mapping": meta_config,
    "game rules": load_game_rules,
    "saved game": read_saved,
}


# --- paths -----------------------------------------------------------------------------------------------------


def _odd_paths(folder: Path) -> Iterator[tuple[str, Path]]:
    loop = folder / "loop.json"
    loop.symlink_to(loop)
    yield "a link to itself", loop
    (folder / "folder.json").mkdir()
    yield "a folder", folder / "folder.json"
    os.mkfifo(folder / "fifo.json")
    yield "a pipe without a writer", folder / "fifo.json"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s.json"))
    yield "a socket", folder / "s.json"
    yield "an endless device", Path("/dev/zero")
    yield "an empty device", Path("/dev/null")
    yield "a name that is too long", folder / f"{'n' * 300}.json"
    yield "a path that is too long", Path("d/" * 3000 + "n.json")
    yield "a NUL", Path("a\0b.json")
    yield "half a character", Path("a\udc80.json")
    yield "nothing", folder / "absent.json"


@pytest.mark.parametrize("loader", LOADERS)
def test_every_odd_path_is_refused_at_once(loader: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "WAIT_FOR_WRITER", 0.1)
    for what, path in _odd_paths(tmp_path):
        began = time.monotonic()
        with pytest.raises(ContentError) as caught:
            LOADERS[loader](path)
        assert str(caught.value).isprintable(), what
        assert time.monotonic() - began < 2, what


@pytest.mark.parametrize("name", ["n" * 300, "a\0b", "\ud800", "../x", ".", ""])
def test_odd_names_of_agents_and_entries_are_refused(name: str, tmp_path: Path) -> None:
    for load in (
        lambda: training_config("default", agent=name),
        lambda: training_config(name),
        lambda: policy_config(name, tmp_path),
    ):
        with pytest.raises(ContentError):
            load()


@pytest.mark.parametrize("scenario", ["s" * 5000, "a\0b", "/loop/\ud800.json"])
def test_training_entry_with_an_odd_scenario_is_refused(scenario: str, tmp_path: Path) -> None:
    path = tmp_path / "training.json"
    path.write_text(json.dumps({"default": {"scenario": scenario}}), encoding="utf-8")
    with pytest.raises(ContentError):
        check_file(path, "training", set())


def test_file_that_vanishes_after_it_was_listed(tmp_path: Path) -> None:
    for name in ("weapons", "unit_types"):
        (tmp_path / f"{name}.json").symlink_to(tmp_path / "gone.json")
    with pytest.raises(ContentError):
        load_scenario(_scenario_with(tmp_path, catalogue="."))


def _scenario_with(folder: Path, **changes: object) -> Path:
    data = json.loads(scenario_path("small_board").read_text(encoding="utf-8"))
    path = folder / "own.json"
    path.write_text(json.dumps(data | changes), encoding="utf-8")
    return path


def test_file_beyond_the_largest_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(files.LARGEST + 1)
    with pytest.raises(ContentError, match="64 MiB"):
        load_scenario(path)


# --- pipes -----------------------------------------------------------------------------------------------------


def test_scenario_from_a_pipe_is_read_once_and_played_often(tmp_path: Path) -> None:
    """As a shell makes one of ``<(command)``."""
    ends = os.pipe()
    os.write(ends[1], scenario_path("small_board").read_bytes())
    os.close(ends[1])
    path = f"/dev/fd/{ends[0]}"
    first, second = Session(path), Session(path)
    assert first.settings[0] is second.settings[0]
    os.close(ends[0])
    assert [unit.type for unit in first.settings[0].scenario.units] == [
        unit.type for unit in load_scenario("small_board").units
    ]


def test_named_pipe_is_read_to_the_end_of_a_slow_writer(tmp_path: Path) -> None:
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    text = scenario_path("pve").read_bytes()

    def write() -> None:
        with path.open("wb", buffering=0) as pipe:
            for piece in (text[:100], text[100:1000], text[1000:]):
                pipe.write(piece)
                time.sleep(0.1)

    writer = threading.Thread(target=write)
    writer.start()
    assert load_scenario(path).units == load_scenario("pve").units
    writer.join()


def test_pipe_whose_writer_is_silent_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WAIT_FOR_DATA", 0.2)
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    holder = os.open(path, os.O_RDWR)
    with pytest.raises(ContentError, match="a pipe without data"):
        load_scenario(path)
    os.close(holder)


# --- edits -----------------------------------------------------------------------------------------------------


def test_edit_that_keeps_time_and_size_is_seen(tmp_path: Path) -> None:
    path = _scenario_with(tmp_path)
    before = path.stat()
    assert Session(str(path)).setting.scenario.objectives[0].name == "West"
    path.write_bytes(path.read_bytes().replace(b'"West"', b'"Wood"'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert Session(str(path)).setting.scenario.objectives[0].name == "Wood"


def test_unchanged_file_is_built_once(tmp_path: Path) -> None:
    path = _scenario_with(tmp_path)
    assert Session(path).setting is Session(path).setting


# --- content ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: "-".join(path.parts[-2:]))
def test_every_file_may_name_its_schema(path: Path, tmp_path: Path) -> None:
    data = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(data, dict):
        return
    folder = tmp_path / path.parent.name
    folder.mkdir()
    if path.parent.name == "data":
        (folder / "weapons.json").write_bytes((path.parent / "weapons.json").read_bytes())
    copied = folder / path.name
    copied.write_text(json.dumps({"$schema": "../x.schema.json", **data}), encoding="utf-8")
    kind = kind_of(path)
    assert check_file(copied, kind, set()) == kind
    copied.write_text(json.dumps({**data, "$schema": 3}), encoding="utf-8")
    with pytest.raises(ContentError, match=r"\$schema: expected a string"):
        check_file(copied, kind, set())


@pytest.mark.parametrize("character", ["\x1b", "\0", "\n", "\x7f", "\x9b", "\u2028", "\u202e", "\ud800"])
@pytest.mark.parametrize("place", ["id", "objective", "type", "key", "file"])
def test_control_characters_reach_no_terminal(character: str, place: str, tmp_path: Path) -> None:
    data: Any = json.loads(scenario_path("small_board").read_text(encoding="utf-8"))
    odd = f"a{character}[31m"
    if place == "id":
        data["units"][0]["id"] = odd
    elif place == "objective":
        data["objectives"][0]["name"] = odd
    elif place == "type":
        data["custom_unit_types"] = {odd: {"based_on": "Intercessor"}}
    elif place == "key":
        data[odd] = 1
    if place == "file" and character in "\0\ud800":
        return  # no file system has such a name
    path = tmp_path / (f"{odd}.json" if place == "file" else "own.json")
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ContentError, match="control characters") as caught:
        load_scenario(path)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', "[" * 400 + "]" * 400, '{"units": ' * 400, "1" * 5000, "-Infinity"]
)
@pytest.mark.parametrize("loader", LOADERS)
def test_what_json_leaves_open_is_refused_by_every_loader(loader: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError):
        LOADERS[loader](path)


def test_message_about_very_long_text_is_short(tmp_path: Path) -> None:
    path = _scenario_with(tmp_path, **{"k" * 100_000: 1})
    with pytest.raises(ContentError) as caught:
        load_scenario(path)
    assert len(str(caught.value)) < 2000


# --- thousands of them -----------------------------------------------------------------------------------------

ODD: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, 2**64, 10**300, 10**4200, 1e308, 1e-320, 0.5, float("nan"), float("inf"), "", "x",
    "\x1b[31m", "\0", "\ud800", "n" * 300, "D3", "NaN", "1e999", "٣", [], {}, [[]], {"": 1}, {"$schema": 1}, "a`b",
    "x` - at `$.units[0]",
]  # fmt: skip
ODD_BYTES = [b"\0", b"\xff", b"\\ud800", b"[", b"{", b"1e999", b"NaN", b"\xef\xbb\xbf", b"\x1b", b"9" * 400, b'"', b","]


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from _places(inner, (*place, key))


def _changed(value: Any, dice: random.Random) -> Any:
    """A copy with something replaced, removed, repeated or misplaced."""
    found = copy.deepcopy(value)
    *way, last = dice.choice(list(_places(found))[1:])
    holder = found
    for step in way:
        holder = holder[step]
    change = dice.randrange(4)
    if change == 0:
        del holder[last]
    elif change == 1 and isinstance(holder, dict):
        holder[dice.choice(["x", "", "$schema", "\x1b", "a.b", "[0]", *holder])] = holder[last]
    elif change == 1:
        holder.append(copy.deepcopy(holder[last]))
    else:
        holder[last] = copy.deepcopy(dice.choice(ODD))
    return found


def _damaged(content: bytes, dice: random.Random) -> bytes:
    found, place = bytearray(content), dice.randrange(len(content))
    found[place : place + dice.choice([0, 1, 20])] = dice.choice([b"", *ODD_BYTES])
    return bytes(found)


def _fuzz(seed: int, count: int, folder: Path) -> tuple[int, int]:
    """Check changed copies of shipped files; how many were refused and how many were not."""
    dice, messages = random.Random(seed), []
    for _ in range(count):
        original = dice.choice(SHIPPED)
        content = original.read_bytes()
        if dice.random() < 0.7:
            content = json.dumps(_changed(json.loads(content), dice)).encode()
        else:
            content = _damaged(content, dice)
        path = folder / original.name
        path.write_bytes(content)
        kind = dice.choice(list(CHECKS)) if dice.random() < 0.1 else None
        try:
            check_file(path, kind or kind_of(path), set())
        except W40KError as error:
            messages.append(str(error))
    assert [message for message in messages if not message.isprintable()] == []
    return len(messages), count - len(messages)


def test_changed_files_are_refused_by_an_error_of_this_package(tmp_path: Path) -> None:
    refused, accepted = _fuzz(1, 400, tmp_path)
    assert min(refused, accepted) > 20


@pytest.mark.slow
def test_thousands_of_changed_files(tmp_path: Path) -> None:
    refused, accepted = _fuzz(2, 10_000, tmp_path)
    assert min(refused, accepted) > 500
