"""The one writer of files: whole or not at all, never over somebody else's, permissions kept."""

from __future__ import annotations

import ast
import errno
import os
from pathlib import Path

import pytest

from w40k_marl.files import FileError, FileTakenError, file_to_write, write_file, write_free

PACKAGE = Path(__file__).resolve().parents[2] / "w40k_marl"
CACHE, PAGES = "rules/machine_code.py", {"observe/document.py", "reward/document.py"}  # of this checkout's docs
WRITERS = {"files.py", CACHE, *PAGES}


def test_no_other_file_of_the_package_writes_files() -> None:
    writing = {"write_text", "write_bytes", "mkstemp", "NamedTemporaryFile"}
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "attr", None) if isinstance(node, ast.Call) else None
            if name in writing:
                found.add(path.relative_to(PACKAGE).as_posix())
    assert found <= WRITERS


def test_file_that_appears_between_check_and_write_is_not_replaced(tmp_path: Path) -> None:
    path = file_to_write(tmp_path / "report.json", replace=False)
    path.write_text("somebody else's", encoding="utf-8")
    with pytest.raises(FileTakenError, match=r"report\.json is there already"):
        write_file(path, "mine", replace=False)
    assert path.read_text(encoding="utf-8") == "somebody else's"
    assert list(tmp_path.iterdir()) == [path], "no draft is left"


def test_file_that_appears_in_the_very_moment_of_writing_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_to_write(tmp_path / "report.json", replace=False)
    sync = os.fsync

    def meanwhile(descriptor: int) -> None:
        sync(descriptor)
        path.write_text("somebody else's", encoding="utf-8")

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(FileTakenError):
        write_file(path, "mine", replace=False)
    assert path.read_text(encoding="utf-8") == "somebody else's"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_permissions_are_those_of_any_new_file_and_survive_replacing(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        path = write_file(tmp_path / "report.json", "first", replace=False)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    write_file(path, "second", replace=True)
    assert (path.stat().st_mode & 0o777, path.read_text(encoding="utf-8")) == (0o604, "second")


@pytest.mark.parametrize("links", [True, False])
def test_full_disk_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = write_file(tmp_path / "report.json", "first", replace=False)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileError, match=r"report\.json cannot be written: No space left on device"):
        write_file(path, "second", replace=True)
    with pytest.raises(FileError, match="No space left"):
        write_file(tmp_path / "other.json", "second", replace=False)
    assert path.read_text(encoding="utf-8") == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_vanishes_after_the_check_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path = file_to_write(tmp_path / "folder" / "report.json", replace=False)
    path.parent.rmdir()
    with pytest.raises(FileError, match=r"report\.json cannot be written: No such file or directory"):
        write_file(path, "mine", replace=False)


@pytest.mark.skipif(os.name == "nt", reason="links, devices and pipes of POSIX")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "an empty name"),
        ("  ", "an empty name"),
        ("-", "got -, which stands for stdout"),
        ("folder", "folder, which is a folder"),
        ("/dev/null", "/dev/null, which is a device"),
        ("pipe", "pipe, which is a pipe"),
        ("loop", "loop cannot be written: "),
        ("loop/report.json", "cannot be written: "),
        ("x" * 300, "cannot be written: File name too long"),
        ("~nosuchuser/x", "~nosuchuser/x cannot be written: "),
        ("nowhere/report.json", "cannot be written: no such folder"),
        ("there/report.json", "cannot be written: "),
        ("a\0b", "cannot be written: embedded null byte"),
        ("\ud800", "cannot be written: "),
        ("there", "there is there already"),
    ],
)
def test_name_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "there").touch()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileError, match=said) as refusal:
        file_to_write(name, replace=False)
    assert len(str(refusal.value)) < 500


def test_names_as_long_as_the_disk_allows_are_written(tmp_path: Path) -> None:
    name = tmp_path / ("x" * 250 + ".json")
    assert write_file(file_to_write(name, replace=False), "mine", replace=False).read_text(encoding="utf-8") == "mine"


def test_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_text("first", encoding="utf-8")
    link.symlink_to(target)
    write_file(file_to_write(link, replace=True), "second", replace=True)
    assert link.is_symlink()
    assert target.read_text(encoding="utf-8") == "second"


def test_free_name_is_found_beside_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = [write_free("game", "mine").name for _ in range(3)]
    assert names == ["game.json", "game-2.json", "game-3.json"]


@pytest.mark.skipif(os.name == "nt", reason="a current folder cannot be deleted")
def test_free_name_where_the_current_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, spare = tmp_path / "gone", tmp_path / "spare"
    gone.mkdir()
    spare.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr("tempfile.tempdir", str(spare))
    try:
        assert write_free("game", "mine") == spare / "game.json"
    finally:
        os.chdir(tmp_path)
