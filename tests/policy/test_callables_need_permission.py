"""A mapping or a policy.json from elsewhere runs nothing unless the user allows it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from w40k_marl import PvEController, load_registry
from w40k_marl.apps.cli import main
from w40k_marl.errors import ContentError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.config import MetaConfig
from w40k_marl.policy.errors import UnsafeModelError
from w40k_marl.policy.registry import load_policy

LAYOUT = Layout()
Agents = Callable[..., Path]

TRAP = """
from pathlib import Path

Path(__file__).with_name("trap").touch()


def f(observations, masks):
    return masks.argmax(axis=1)
"""
LAST = "def f(observations, masks):\n    return 12 - masks[:, ::-1].argmax(axis=1)\n"


def mapping(folder: Path) -> Path:
    """A mapping beside an agent `Mine` that plays everything."""
    path = folder / "mine.json"
    path.write_text('{"controlled_player": 2, "model_by_unit_type": {}, "default_model": "Mine"}', encoding="utf-8")
    return path


@pytest.mark.parametrize("where", [".", "Mine"])
def test_nothing_is_imported_without_permission(
    agents: Agents, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], where: str
) -> None:
    folder = agents(Mine={"kind": "callable", "callable": "evil_for_test:f"})
    (folder / where / "evil_for_test.py").write_text(TRAP, encoding="utf-8")
    monkeypatch.chdir(folder)
    said = (
        r"policy\.json: callable: expected permission to import .evil_for_test:f..*trust_models=True, or --trust-models"
    )
    with pytest.raises(UnsafeModelError, match=said):
        load_registry(MetaConfig(2, {}, "Mine", folder=folder), LAYOUT)
    with pytest.raises(UnsafeModelError, match=said):
        PvEController(mapping(folder))
    with pytest.raises(UnsafeModelError, match=said):
        PvEController(super_agent="Mine", meta=MetaConfig(2, {}, "MacroController", folder=folder))
    assert main(["play", "--meta", str(mapping(folder)), "--scenario", "small_board", "--max-turns", "1"]) == 2
    assert "--trust-models" in capsys.readouterr().err
    assert not list(folder.rglob("trap"))
    assert "evil_for_test" not in sys.modules


def test_function_of_python_is_not_called_without_permission(agents: Agents, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []
    monkeypatch.setattr(os, "system", lambda *arguments: called.append(arguments))
    folder = agents(Mine={"kind": "callable", "callable": "os:system"})
    with pytest.raises(UnsafeModelError, match="os:system"):
        load_policy("Mine", "micro", LAYOUT, folder=folder)
    assert not called


def test_folder_of_the_policy_is_searched_and_the_current_one_is_not(
    agents: Agents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = agents(Mine={"kind": "callable", "callable": "mine_for_test:f"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine_for_test.py").write_text(TRAP, encoding="utf-8")
    monkeypatch.chdir(elsewhere)
    path = list(sys.path)
    with pytest.raises(ContentError, match="No module named 'mine_for_test'"):
        load_policy("Mine", "micro", LAYOUT, folder=folder, trust_models=True)
    (folder / "Mine" / "mine_for_test.py").write_text(LAST, encoding="utf-8")
    policy = load_policy("Mine", "micro", LAYOUT, folder=folder, trust_models=True)
    masks = np.ones((1, 13), dtype=np.int8)
    assert policy(np.zeros((1, LAYOUT.observation_size), dtype=np.float32), masks).tolist() == [12]
    assert not (elsewhere / "trap").exists()
    assert sys.path == path


def test_shipped_agents_need_no_permission() -> None:
    assert PvEController(super_agent="MacroController").registry


@pytest.mark.parametrize("name", ["../evil:f", "evil", "evil:", "a b:c", "evil:f.g", "evil:f\n"])
def test_callable_of_another_form_is_refused(agents: Agents, name: str) -> None:
    folder = agents(Mine={"kind": "callable", "callable": name})
    unreadable = not name.isprintable()  # refused when the file is read
    for trust, error in ((False, ContentError if unreadable else UnsafeModelError), (True, ContentError)):
        with pytest.raises(error) as caught:
            load_policy("Mine", "micro", LAYOUT, folder=folder, trust_models=trust)
        assert "\n" not in str(caught.value)
