"""What tests of several rooms need: an agent of their own, exceptions at every place where Ctrl-C could arrive."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import w40k_marl
from w40k_marl.content import paths

PACKAGE = str(Path(w40k_marl.__file__).parent)

Interrupt = Callable[[Callable[[], object], int], int]


@pytest.fixture
def scout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An agent of our own, in data folders of our own; its folder."""
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path)
    folder = tmp_path / "_data" / "agents" / "Scout"
    folder.mkdir(parents=True)
    scenarios = tmp_path / "_data" / "scenarios"
    scenarios.mkdir()
    (scenarios / "macro_default.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.fixture
def interrupt() -> Interrupt:
    """Calls a function, raises KeyboardInterrupt at a place of the package's Python code; the number of places passed.

    Places are the beginning of each line and the return from each function, those of compiled ones left out: where
    Python delivers signals. They are counted from 0; a function that has fewer of them is called to its end.
    """

    def call(function: Callable[[], object], place: int) -> int:
        passed = 0

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal passed
            if not frame.f_code.co_filename.startswith(PACKAGE):
                return None
            if event != "exception":
                if passed == place:
                    raise KeyboardInterrupt
                passed += 1
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            function()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
        return passed

    return call
