"""``--policy`` takes what plays elsewhere: bots, agents with their models, functions of two arguments."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.apps.simulate import cli
from w40k_marl.apps.simulate.options import Options
from w40k_marl.apps.simulate.plan import Plan, make_plan
from w40k_marl.apps.simulate.report.as_json import as_data
from w40k_marl.apps.simulate.run import run
from w40k_marl.apps.simulate.runners.players import find_player
from w40k_marl.apps.simulate.workers.worker import Worker
from w40k_marl.env.aec import RawEnv
from w40k_marl.env.batch import BatchEnv
from w40k_marl.env.seats import MacroEnv, MicroEnv
from w40k_marl.errors import W40KError
from w40k_marl.observe.layout import Layout
from w40k_marl.policy.bots import make_bot

Capture = pytest.CaptureFixture[str]
AGENT = "Tyranid_Infantry_Swarm_MeleeSwarm"
LAYOUT = Layout()


def plan(**options: Any) -> Plan:
    return make_plan(Options(**{"scenario_file": ("small_board",), "seed": 5, "episodes": 3, **options}))


def results(**options: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = as_data(run(plan(**options)))["per_episode"]
    return rows


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with modules of the user's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    yield tmp_path
    sys.modules.pop("mine", None)


MINE = """
import numpy as np

asked = []

def first(observations, masks):
    asked.append((observations.shape, masks.shape))
    return np.argmax(masks, axis=1)

def by_type(observations, masks, unit_types):
    assert len(unit_types) == len(masks)
    asked.extend(unit_types.tolist())
    return np.argmax(masks, axis=1)

by_type.takes_unit_types = True

def micro(observations, masks):
    assert masks.shape[1] == 13 and masks.any(axis=1).all()
    asked.append(len(masks))
    return np.argmax(masks, axis=1)

micro.kind = "micro"

def macro(observations, masks):
    assert masks.shape[1] == 16 and masks.any(axis=1).all()
    asked.append(len(masks))
    return np.argmax(masks, axis=1)

macro.kind = "macro"

def seated(observations, masks):
    return np.argmax(masks, axis=1)

seated.seat = 1

def broken(observations, masks):
    return observations["active_unit"]
"""


# --- bots --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 3])
def test_greedy_plays_as_the_bot_does(batch: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every micro action that is played is the one that the bot of the policy room names for what was shown."""
    micro, checked = make_bot("greedy", "micro", LAYOUT), []
    start, stop = LAYOUT.micro_start, LAYOUT.micro_stop
    step, batch_step = RawEnv.step, BatchEnv.step

    def one(self: RawEnv, action: Any) -> None:
        if action is not None:
            seen: Any = self.observe(self.agent_selection)
            check(seen["observation"][None], seen["action_mask"][None], np.array([action]))
        step(self, action)

    def many(self: BatchEnv, actions: Any, only: Any = None) -> None:
        rows = np.arange(self.num_games) if only is None else only
        check(self.observations[rows], self.action_masks[rows], actions[rows])
        batch_step(self, actions, only)

    def check(observations: Any, masks: Any, actions: Any) -> None:
        acting = masks[:, start:stop].any(axis=1)
        if acting.any():
            wanted = micro(observations[acting], masks[acting, start:stop]) + start
            assert actions[acting].tolist() == wanted.tolist()
            checked.append(acting.sum())

    worker = Worker(plan(policy="greedy", batch=batch))
    monkeypatch.setattr(RawEnv, "step", one)
    monkeypatch.setattr(BatchEnv, "step", many)
    games = [episode for episodes in worker.play() for _, episode in episodes]
    assert sum(checked) == sum(game.steps for game in games) > 0


def test_greedy_wins_against_nobody_at_random_but_is_another_player() -> None:
    assert results(policy="greedy") != results(policy="random") != results(policy="first")


def test_greedy_plays_with_intents_too() -> None:
    for batch in (None, 2):
        assert len(results(policy="greedy", training_config="super_agent", episodes=2, batch=batch)) == 2


# --- agents ------------------------------------------------------------------------------------------------


def agent(folder: Path, **policy: str) -> str:
    """An agent's folder with this policy; its path."""
    path = folder / "Mine_Agent"
    path.mkdir(exist_ok=True)
    (path / "policy.json").write_text(json.dumps(policy), encoding="utf-8")
    return str(path)


def test_agent_key_plays_as_its_policy() -> None:
    assert results(policy=AGENT) == results(policy="greedy"), "the agents that ship are greedy bots"
    assert results(policy="MacroController", batch=3) == results(policy="greedy", batch=3)


@pytest.mark.parametrize("bot", ["random", "first", "greedy"])
def test_path_of_an_agent_is_its_policy(folder: Path, bot: str) -> None:
    assert results(policy=agent(folder, kind="bot", bot=bot)) == results(policy=bot)


@pytest.mark.parametrize("workers", [1, 2])
def test_agents_of_processes_play_the_same_games(workers: int) -> None:
    assert results(policy=AGENT, workers=workers, batch=2) == results(policy=AGENT, batch=2)


@pytest.mark.parametrize("kind", ["micro", "macro"])
def test_model_of_an_agent_takes_the_decisions_of_its_kind_batched(
    folder: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("sb3_contrib", reason="needs the extra `train`")
    from sb3_contrib import MaskablePPO

    from w40k_marl.policy.contract import write_contract
    from w40k_marl.policy.saved import SavedPolicy

    env = MicroEnv("small_board", unit_types=["Intercessor"]) if kind == "micro" else MacroEnv("small_board")
    model = MaskablePPO("MlpPolicy", env, n_steps=8, batch_size=8, seed=1, policy_kwargs={"net_arch": [16]})
    path = Path(agent(folder, kind="maskable_ppo"))
    model.save(path / "model.zip")
    write_contract(path / "model.zip", LAYOUT, kind)  # type: ignore[arg-type]
    called: list[tuple[int, int]] = []
    original = SavedPolicy.__call__

    def watched(self: Any, observations: Any, masks: Any) -> Any:
        called.append(masks.shape)
        return original(self, observations, masks)

    monkeypatch.setattr(SavedPolicy, "__call__", watched)
    outcome = run(plan(policy=str(path), batch=6, episodes=6))
    assert outcome.tally.counts.episodes == 6
    assert {width for _, width in called} == {13 if kind == "micro" else 16}
    assert max(rows for rows, _ in called) > 1, "many games are one call"
    if kind == "micro":
        alone = results(policy=str(path))
        assert len(alone) == 3
        assert alone != results(policy="random")


# --- functions ---------------------------------------------------------------------------------------------


def test_function_takes_two_arguments_and_plays_all_that_is_free(folder: Path) -> None:
    assert results(policy="mine:first") == results(policy="first")
    seen = sys.modules["mine"].asked
    assert {observations[1] for observations, _ in seen} == {LAYOUT.observation_size}
    assert {masks for _, masks in seen} == {(1, LAYOUT.action_count)}
    seen.clear()
    assert results(policy="mine:first", batch=3) == results(policy="first", batch=3)
    assert max(masks[0] for _, masks in seen) == 3


def test_function_is_told_the_unit_types_if_it_takes_them(folder: Path) -> None:
    for batch in (None, 3):
        assert results(policy="mine:by_type", batch=batch) == results(policy="first", batch=batch)
        assert {"Intercessor", ""} <= set(sys.modules["mine"].asked)
        sys.modules["mine"].asked.clear()


@pytest.mark.parametrize("kind", ["micro", "macro"])
@pytest.mark.parametrize("batch", [None, 3])
def test_function_of_a_kind_takes_the_decisions_of_its_block(folder: Path, kind: str, batch: int | None) -> None:
    worker = Worker(plan(policy=f"mine:{kind}", batch=batch, macro_both=True))
    sys.modules["mine"].asked.clear()
    games = [episode for episodes in worker.play() for _, episode in episodes]
    micro, macro = sum(game.steps for game in games), sum(game.macro_choices for game in games)
    assert sum(sys.modules["mine"].asked) == (micro if kind == "micro" else macro) > 0


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("clever", "expected random, first, greedy, module:callable or an agent"),
        ("Tyranid_Infantry_Swarm_MeleeSwrm", f'did you mean "{AGENT}"?'),
        ("no/such/agent", "expected random, first, greedy, module:callable or an agent"),
        ("mine:nothing", "expected a callable nothing in mine"),
        ("absent:act", "absent cannot be imported"),
        (":", "expected module:callable"),
        ("", "expected random, first, greedy, module:callable or an agent"),
        ("a\nb", "expected random"),
    ],
)
def test_unknown_policy_is_one_line_before_the_run(folder: Path, policy: str, said: str, capsys: Capture) -> None:
    assert cli.main(["--policy", policy]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert "--policy: " in shown.err
    assert said in shown.err


def test_policy_for_one_seat_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"--policy: .*expected a policy for seat 2, got one for seat 1"):
        run(plan(policy="mine:seated"))


@pytest.mark.parametrize("batch", [None, 3])
def test_function_that_raises_ends_the_run_in_one_sentence(folder: Path, batch: int | None) -> None:
    with pytest.raises(W40KError, match=r"--policy: IndexError: .*\(line \d+ of .*mine\.py\)"):
        run(plan(policy="mine:broken", batch=batch))


def test_agent_whose_model_is_missing_is_one_sentence(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"--policy: .*model\.zip: expected the zip of a saved model"):
        run(plan(policy=agent(folder, kind="maskable_ppo")))


def test_player_of_a_bot_is_the_built_in_one(folder: Path) -> None:
    assert find_player(agent(folder, kind="bot", bot="first"), LAYOUT) == ("first", None)
