"""The compile cache never stands in the way: the right results and at most one warning, whatever is wrong with it.

Programs of their own compile a small module (``toy``); files and folders are tried in this process.
"""

from __future__ import annotations

import errno
import os
import pickle
import py_compile
import shutil
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from w40k_marl.compiler import code_cache

Toy: TypeAlias = Any  # of conftest.py

PLAIN = "W40K_MARL_PLAIN_NUMBA"
modes = pytest.mark.parametrize("plain", ["0", "1"], ids=["fast", "plain"])
posix = pytest.mark.skipif(sys.platform == "win32", reason="owners and modes of POSIX")


# --- the key ------------------------------------------------------------------------------------------------


def test_copy_in_another_folder_compiles_nothing_and_nothing_is_said(filled: Toy) -> None:
    filled.write("second")
    shutil.rmtree(filled.folder / "first")
    ran = filled.run("second")
    assert (ran.value, ran.compilations, ran.stderr) == (8, 0, "")


@modes
@pytest.mark.parametrize(("file", "old", "new"), [("constants", "1", "5"), ("parts", "x + BONUS", "x + 5")])
def test_edit_of_what_a_function_calls_is_seen(toy: Toy, plain: str, file: str, old: str, new: str) -> None:
    assert toy.run(**{PLAIN: plain}).value == 8
    toy.edit(file, old, new)
    assert toy.run(**{PLAIN: plain}).value == 16


@modes
def test_old_code_is_never_used_where_numbas_variables_move_the_cache(toy: Toy, plain: str) -> None:
    """numba's own caches would compare the file of the entry point alone."""
    moved = {"NUMBA_CACHE_LOCATOR_CLASSES": "InTreeCacheLocator", "NUMBA_CACHE_DIR": "relative", PLAIN: plain}
    assert toy.run(**moved).value == 8
    toy.edit("parts", "x + BONUS", "x + BONUS + 4")
    assert toy.run(**moved).value == 16
    assert not list((toy.folder / "first").rglob("*.nb?"))


def test_edit_of_words_alone_compiles_nothing(filled: Toy) -> None:
    filled.edit("parts", '"""Add the bonus."""', '"""Add."""  # a comment\n')
    assert filled.run().compilations == 0


def test_settings_of_numba_have_code_of_their_own(filled: Toy) -> None:
    assert filled.run(NUMBA_BOUNDSCHECK="1").compilations == 1
    assert filled.run(NUMBA_OPT="1").compilations == 1
    assert len(filled.files) == 3


def test_package_without_sources_finds_its_code_again(filled: Toy) -> None:
    for path in (filled.folder / "first").glob("*.py"):
        py_compile.compile(str(path), cfile=str(path.with_suffix(".pyc")))
        path.unlink()
    ran = filled.run()
    assert (ran.value, ran.compilations, ran.stderr) == (8, 0, "")
    assert filled.run(**{PLAIN: "1"}).value == 8


def test_processes_that_start_at_once_on_an_empty_cache_are_all_right(toy: Toy) -> None:
    started = [toy.start() for _ in range(4)]
    assert [(ran.value, ran.warnings) for ran in map(toy.result, started)] == [(8, [])] * 4
    kept = {path.name.rpartition("-")[0] for path in toy.cache.rglob("*") if path.is_file()}
    assert kept == {"double", "memory_manager"}, "no unfinished file is left"


# --- programs -----------------------------------------------------------------------------------------------


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("which", ["double*", "memory_manager*"])
def test_damaged_code_is_compiled_again_and_replaced(filled: Toy, which: str) -> None:
    (path,) = filled.cache.rglob(which)
    truncate(path)
    ran = filled.run()
    assert (ran.value, ran.compilations, len(ran.warnings)) == (8, int(which == "double*"), 1)
    again = filled.run()
    assert (again.value, again.compilations, again.stderr) == (8, 0, "")


def test_sound_file_that_numba_cannot_use_is_compiled_again(filled: Toy) -> None:
    """As another build of the same version of numba could leave it."""
    (path,) = filled.files
    content = pickle.dumps(("not", "machine", "code"))
    path.write_bytes(code_cache._start(path.name, content) + content)
    ran = filled.run()
    assert (ran.value, ran.compilations, len(ran.warnings)) == (8, 1, 1)
    assert filled.run().compilations == 0


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_file_of_numbas_own_cache_is_compiled_again(toy: Toy, suffix: str) -> None:
    assert toy.run(**{PLAIN: "1"}).compilations == 1
    (path,) = toy.cache.rglob(f"*.{suffix}")
    truncate(path)
    ran = toy.run(**{PLAIN: "1"})
    assert (ran.value, ran.compilations, len(ran.warnings)) == (8, 1, 1)
    assert toy.run(**{PLAIN: "1"}).compilations == 0


@modes
def test_cache_that_cannot_be_made_is_one_warning(toy: Toy, plain: str) -> None:
    toy.cache.write_text("", encoding="utf-8")  # a folder cannot be made below a file, not even by root
    ran = toy.run(**{PLAIN: plain})
    assert (ran.value, ran.compilations, len(ran.warnings)) == (8, 1, 1)
    assert str(toy.cache) in ran.warnings[0]
    assert "NUMBA_CACHE_DIR" in ran.warnings[0]


@posix
@modes
def test_folder_that_others_can_write_is_not_used(toy: Toy, plain: str) -> None:
    """Others could put their own code there. A sticky one, such as ``/tmp``, is open and safe."""
    toy.cache.mkdir()
    toy.cache.chmod(0o1777)
    assert toy.run(**{PLAIN: plain}).warnings == []
    toy.cache.chmod(0o777)
    ran = toy.run(**{PLAIN: plain})
    assert (ran.value, ran.compilations, len(ran.warnings)) == (8, 1, 1)
    assert f"{toy.cache} can be written by other users" in ran.warnings[0]


@posix
def test_quota_is_one_warning(toy: Toy) -> None:
    ran = toy.run(before="import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (512, 512))")
    assert (ran.value, ran.compilations, len(ran.warnings)) == (8, 1, 1)
    assert str(toy.cache) in ran.warnings[0]
    assert not [path for path in toy.cache.rglob("*") if path.is_file()], "nothing unfinished is left"


@modes
def test_user_without_a_home_folder_is_one_warning(toy: Toy, plain: str) -> None:
    before = "import pwd\ndef getpwuid(uid): raise KeyError(uid)\npwd.getpwuid = getpwuid"
    ran = toy.run(before=before, NUMBA_CACHE_DIR=None, XDG_CACHE_HOME="", HOME=None, **{PLAIN: plain})
    assert (ran.value, ran.compilations, len(ran.warnings)) == (8, 1, 1)
    assert "NUMBA_CACHE_DIR" in ran.warnings[0]


# --- files and folders --------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in a folder for compiled code; nothing has been warned of."""
    monkeypatch.setattr(code_cache.config, "CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(code_cache, "problem", "")
    code_cache.write("code", b"content")
    path = tmp_path / "cache" / "w40k_marl" / "code" / "code"
    assert path.is_file()
    assert code_cache.read("code") == b"content"
    return path


def garbage(path: Path) -> None:
    path.write_bytes(pickle.dumps("a foreign file"))


def of_another_function(path: Path) -> None:
    code_cache.write("other", b"content")
    shutil.copy(path.with_name("other"), path)


def be_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def be_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def lead_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


@posix
@pytest.mark.parametrize(
    "spoil", [truncate, flip, empty, garbage, of_another_function, lead_nowhere, be_a_folder, be_a_pipe]
)
def test_file_that_is_not_whole_is_not_used(kept: Path, spoil: Callable[[Path], None]) -> None:
    spoil(kept)
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR") as warned:
        assert code_cache.read("code") is None
    assert len(warned) == 1
    assert code_cache.read("code") is None
    assert str(kept) in str(warned[0].message)


@posix
@pytest.mark.parametrize("mode", [0o777, 0o757, 0o775, 0o1777])
@pytest.mark.parametrize("depth", [0, 1])
def test_file_and_folder_of_code_are_writable_for_this_user_alone(kept: Path, mode: int, depth: int) -> None:
    (kept, kept.parent)[depth].chmod(mode)
    with pytest.warns(RuntimeWarning, match="can be written by other users"):
        assert code_cache.read("code") is None


@posix
@pytest.mark.parametrize("depth", range(4))
def test_owner_of_file_and_folders_is_this_user_or_root(
    kept: Path, depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = (kept, *kept.parents)[depth]
    if os.geteuid() == 0:
        os.chown(path, 4711, 4711)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.warns(RuntimeWarning, match="belongs to another user"):
        assert code_cache.read("code") is None


@posix
def test_folder_of_root_is_used_by_others(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in an image whose code was compiled when it was built."""
    if os.geteuid() != 0:
        pytest.skip("root's folders are needed")
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    assert code_cache.read("code") == b"content"


@posix
def test_new_folders_are_writable_for_this_user_alone_whatever_the_umask(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = os.umask(0)
    try:
        monkeypatch.setattr(code_cache.config, "CACHE_DIR", str(kept.parents[3] / "a" / "b"))
        code_cache.write("code", b"content")
    finally:
        os.umask(before)
    assert code_cache.read("code") == b"content"
    for path in (kept.parents[3] / "a").rglob("*"):
        assert not path.stat().st_mode & 0o022


@posix
def test_complete_cache_that_is_read_only_is_used_without_a_word(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write anyhow: what counts is that nothing is tried."""
    for path in (kept, kept.parent, kept.parent.parent):
        path.chmod(0o555)
    for name in ("mkdir", "replace", "unlink"):
        monkeypatch.setattr(Path, name, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert code_cache.read("code") == b"content"
    monkeypatch.undo()
    for path in (kept.parent.parent, kept.parent, kept):
        path.chmod(0o755)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_disk_that_takes_nothing_is_one_warning(kept: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bytes:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(code_cache, "_start", full)  # while the file is open
    with pytest.warns(RuntimeWarning, match="cannot be written") as warned:
        code_cache.write("more", b"content")
    assert len(warned) == 1
    code_cache.write("more", b"content")
    assert [path.name for path in kept.parent.iterdir()] == ["code"], "nothing unfinished is left"


@pytest.mark.parametrize("named", ["", "relative", "./x", "~/x"])
def test_xdg_cache_home_that_is_not_absolute_is_ignored(
    tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_cache.config, "CACHE_DIR", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    assert code_cache.folder() == tmp_path.resolve() / ".cache" / "w40k_marl" / "code"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert code_cache.folder() == tmp_path.resolve() / "xdg" / "w40k_marl" / "code"


@posix
def test_home_that_is_not_absolute_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code_cache.config, "CACHE_DIR", "")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "relative")
    assert code_cache.folder() is None


@posix
def test_folder_that_has_no_path_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for named in (str(tmp_path / "loop"), "with\0nul", "x" * 5000):
        monkeypatch.setattr(code_cache.config, "CACHE_DIR", named)
        monkeypatch.setattr(code_cache, "problem", "")
        assert code_cache.read("code") is None
        with pytest.warns(RuntimeWarning, match="compile cache"):
            code_cache.write("code", b"content")
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    monkeypatch.setattr(code_cache.config, "CACHE_DIR", "relative")
    assert code_cache.read("code") is None
