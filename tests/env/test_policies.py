"""`module:callable`: one function serves registries, opponents and the load simulation."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.apps.simulate.runners.aec import AECRunner, Pace
from w40k_marl.apps.simulate.runners.players import find_player
from w40k_marl.env.policies import PolicyError, RandomPolicy, ask, find_policy
from w40k_marl.env.seats import SeatEnv
from w40k_marl.errors import ContentError, NotAnActionError
from w40k_marl.policy.registry import load_policy
from w40k_marl.w40k_v0 import raw_env

LAST = "def act(observations, masks):\n    return masks.shape[1] - 1 - masks[:, ::-1].argmax(axis=1)\n"


@pytest.fixture(autouse=True)
def modules(tmp_path: Path) -> Iterator[None]:
    """Forgets the modules of a test."""
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


def write(folder: Path, **modules: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return folder


def test_one_function_serves_registry_opponent_and_load_simulation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, last_legal=LAST)
    monkeypatch.chdir(tmp_path)
    policy = find_policy("last_legal:act")
    env = SeatEnv("small_board", opponent=policy)
    env.reset(seed=1)
    env.step(int(np.flatnonzero(env.action_masks())[0]))
    (tmp_path / "Mine").mkdir()
    (tmp_path / "Mine" / "policy.json").write_text('{"kind": "callable", "callable": "last_legal:act"}')
    write(tmp_path / "Mine", last_legal=LAST)
    assert load_policy("Mine", "micro", env.layout, folder=tmp_path, trust_models=True).policy is not policy
    runner = AECRunner(raw_env("small_board"), Pace((), 5, 50), find_player("last_legal:act", env.layout))
    assert runner.play_episode(np.random.default_rng(1)).steps > 10


def test_folder_comes_before_what_is_installed_and_the_search_path_stays(tmp_path: Path) -> None:
    here, path, finders = write(tmp_path / "here", yaml_like=LAST), list(sys.path), list(sys.meta_path)
    elsewhere = write(tmp_path / "elsewhere", yaml_like="act = print\n")
    sys.path.append(str(elsewhere))
    try:
        import yaml_like  # type: ignore[import-not-found]

        policy = find_policy("yaml_like:act", here)
    finally:
        sys.path.remove(str(elsewhere))
    assert policy is not print
    assert sys.modules["yaml_like"] is yaml_like, "what others have imported stays theirs"
    assert (sys.path, sys.meta_path) == (path, finders)


def test_modules_of_two_folders_are_not_mixed_up(tmp_path: Path) -> None:
    """Each has a `mine` and a `helper` beside it."""
    answers = []
    for number in (1, 2, 1):
        text = f"import helper\n\ndef act(observations, masks):\n    return helper.ANSWER, {number}\n"
        folder = write(tmp_path / str(number), mine=text, helper=f"ANSWER = {number}\n")
        answers.append(find_policy("mine:act", folder)(np.zeros(1), np.zeros(1)))  # type: ignore[arg-type]
    assert answers == [(1, 1), (2, 2), (1, 1)]


def test_module_in_a_package_of_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "team", __init__="", players="from .rules import act\n", rules=LAST)
    assert find_policy("team.players:act", tmp_path).__module__ == "team.rules"


def test_module_with_the_name_of_one_of_pythons_is_refused_and_a_helper_does_not_replace_it(tmp_path: Path) -> None:
    write(tmp_path, graphlib="TopologicalSorter = 1\n", mine="import graphlib\nact = graphlib.TopologicalSorter\n")
    with pytest.raises(PolicyError, match="another name than graphlib, which is a module of Python"):
        find_policy("graphlib:TopologicalSorter", tmp_path)
    assert callable(find_policy("mine:act", tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def act(:", "SyntaxError"),
        ("raise RuntimeError('no')", "RuntimeError: no"),
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import not_there_at_all", "No module named"),
        ("act = 3", "expected a callable act in broken, got int"),
        ("", "got nothing"),
        ("def __getattr__(name):\n    raise OSError(name)", "OSError"),
    ],
)
def test_module_that_gives_no_callable_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PolicyError, match=said):
        find_policy("broken:act", write(tmp_path, broken=text))


@pytest.mark.parametrize(
    "name", ["", ":", "a:", ":b", "a.:b", ".a:b", "a:b:c", "a:b.c", "../a:b", "a b:c", "a\0:b", None, 3]
)
def test_name_of_another_form_is_refused(name: Any) -> None:
    with pytest.raises(PolicyError, match="policy: expected module:callable, got"):
        find_policy(name)


@pytest.mark.parametrize(
    "answer", [None, 1, [1], [0.5, 1.0], [np.nan, 1], ["a", "b"], [[1], [2, 3]], [[1], [2]], [True, False]]
)
def test_answer_that_is_not_an_action_for_each_row_is_refused(answer: Any) -> None:
    with pytest.raises(NotAnActionError, match=r"policy: expected whole numbers of shape \(2,\), got "):
        ask(lambda observations, masks: answer, np.zeros((2, 3)), np.ones((2, 3)), lambda: np.array([]))  # type: ignore[arg-type, return-value]


def test_seed_of_another_type_is_refused() -> None:
    with pytest.raises(ContentError, match="argument: seed: expected"):
        RandomPolicy("one")  # type: ignore[arg-type]
