"""The load simulation from its command line: its report, its refusals, how it stops."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.simulate import cli, run
from w40k_marl.apps.simulate.runners import aec
from w40k_marl.apps.simulate.runners.aec import AECRunner
from w40k_marl.apps.simulate.runners.episode import Episode
from w40k_marl.content.paths import CONTENT
from w40k_marl.env import session
from w40k_marl.rules.engine import STEP

ROOT = Path(__file__).resolve().parents[3]
Simulate = Callable[..., dict[str, Any]]
Capture = pytest.CaptureFixture[str]

NORMAL = """
    --scenario-file scenarios/macro_default.json
    --controlled-agent MacroController
    --training-config MacroController_training_config
    --rewards-config MacroController_rewards_config
    --episodes 10
    --macro-player 1
    --macro-every-steps 5
"""
STRESS = NORMAL.replace("--episodes 10", "--episodes 50").replace("every-steps 5", "every-steps 1")


@pytest.mark.parametrize(("arguments", "episodes"), [(NORMAL, 10), (STRESS, 50)], ids=["normal", "stress"])
def test_examples_of_the_document_run(simulate: Simulate, capsys: Capture, arguments: str, episodes: int) -> None:
    report = simulate(*arguments.split())
    assert report["episodes"] == episodes
    shown = capsys.readouterr().out
    steps = [int(number) for number in re.findall(r"^\[episode \d+\] steps=(\d+)", shown, re.MULTILINE)]
    assert len(steps) == episodes
    assert f"Total steps : {sum(steps)} " in shown
    for label in ("Steps/s", "CPU time", "RAM max", "Disk read", "Disk write", "Network download"):
        assert f"\n{label} : " in shown


def test_report_has_the_fields_of_the_reference_and_its_sums_hold(simulate: Simulate, small: tuple[str, ...]) -> None:
    report = simulate(*small, "--seed", "5")
    rows = report["per_episode"]
    assert report["episodes"] == len(rows) == 3
    assert report["total_steps"] == sum(row["steps"] for row in rows)
    assert report["agent_steps"] == sum(row["agent_steps"] for row in rows)
    metrics = report["metrics"]
    assert list(metrics) == [
        "wall_time_sec",
        "cpu_time_sec",
        "max_rss_kb",
        "io_read_bytes",
        "io_write_bytes",
        "net_rx_bytes",
        "net_tx_bytes",
    ]
    assert report["steps_per_sec"] == pytest.approx(report["total_steps"] / metrics["wall_time_sec"])
    assert report["games_per_sec"] == pytest.approx(3 / metrics["wall_time_sec"])
    assert report["python_memory_peak_kb"] > 0
    assert report["partial"] is False
    missing = {name for name, value in metrics.items() if value is None}
    assert missing == {name for name in report["not_measured"] if not name.startswith("memory.")}


def test_manifest_is_enough_to_repeat_the_run(simulate: Simulate, small: tuple[str, ...]) -> None:
    first = simulate(*small)
    manifest = first["manifest"]
    assert set(manifest["versions"]) == {"w40k_marl", "python", "numpy", "numba", "pettingzoo"}
    assert re.fullmatch("[0-9a-f]{64}", manifest["scenarios"][0]["sha256"])
    again = simulate(*small, "--seed", str(manifest["seed"]))
    assert again["per_episode"] == first["per_episode"]
    assert again["manifest"]["rules_sha256"] == manifest["rules_sha256"]
    other = simulate(*small, "--seed", str(manifest["seed"] + 1))
    assert other["per_episode"] != first["per_episode"]


def test_run_without_seed_prints_one(small: tuple[str, ...], capsys: Capture) -> None:
    def seed() -> str:
        assert cli.main(small) == 0
        found = re.search(r"^load simulation of small_board, --seed (\d+)$", capsys.readouterr().out, re.M)
        assert found is not None
        return found[1]

    assert seed() != seed()


def test_more_episodes_begin_with_the_same_games(simulate: Simulate) -> None:
    options = ("--scenario-file", "small_board", "--seed", "5", "--episodes")
    assert simulate(*options, "6")["per_episode"][:3] == simulate(*options, "3")["per_episode"]


def test_training_config_gives_scenario_and_turns(simulate: Simulate) -> None:
    report = simulate("--training-config", "debug", "--episodes", "2")
    assert {row["scenario"] for row in report["per_episode"]} == {"small_board"}
    assert {row["last_turn"]["turn"] for row in report["per_episode"]} == {2}


@pytest.mark.parametrize("player", ["1", "2"])
def test_rewards_are_those_of_the_macro_player(simulate: Simulate, small: tuple[str, ...], player: str) -> None:
    report = simulate(*small, "--macro-player", player, "--seed", "9")
    terms, rows, mine = report["rewards"]["terms"], report["per_episode"], int(player) - 1
    assert terms["win"]["amount"] == sum(row["winner"] == int(player) for row in rows)
    assert terms["lose"]["amount"] == sum(row["winner"] == 3 - int(player) for row in rows)
    assert terms["victory_points"]["amount"] == sum(row["victory_points"][mine] for row in rows)
    conceded = terms["victory_points_conceded"]["amount"]
    assert conceded == sum(row["victory_points"][1 - mine] for row in rows)
    assert terms["damage_dealt"]["amount"] >= sum(row["value_lost"][1 - mine] for row in rows) > 0, "and the wounded"
    assert terms["damage_received"]["amount"] >= sum(row["value_lost"][mine] for row in rows) > 0
    assert terms["progress"] == {"amount": None, "weight": 0.05, "total": None}
    assert terms["kills"] == {"amount": None, "weight": 0.0, "total": 0.0}
    known = [term["total"] for term in terms.values() if term["total"] is not None]
    assert report["rewards"]["total"] == pytest.approx(sum(known))


def test_game_rules_change_length_and_cap(simulate: Simulate, small: tuple[str, ...], tmp_path: Path) -> None:
    rules = json.loads((CONTENT / "game_rules.json").read_text(encoding="utf-8"))
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(rules | {"max_turns": 1, "max_steps_per_turn": 2}), encoding="utf-8")
    report = simulate(*small, "--game-rules", str(file))
    assert all(row["capped"] and row["steps"] == 2 for row in report["per_episode"])
    assert report["manifest"]["options"]["max_steps_per_turn"] == 2
    report = simulate(*small, "--game-rules", str(file), "--max-steps-per-turn", "500")
    assert {row["last_turn"]["turn"] for row in report["per_episode"]} == {1}
    assert not any(row["capped"] for row in report["per_episode"])


def test_capped_episode_says_so(small: tuple[str, ...], capsys: Capture) -> None:
    assert cli.main([*small, "--max-steps-per-turn", "2"]) == 0
    assert "[episode 1] steps=2 capped: player 1's turn 1 has used all its micro actions" in capsys.readouterr().out


def test_traced_run_says_that_it_is_slower(simulate: Simulate, small: tuple[str, ...], capsys: Capture) -> None:
    report = simulate(*small, "--trace-memory")
    assert report["python_memory_traced"] == "whole run"
    assert report["python_memory_peak_kb"] > 0
    assert "tracing slowed this run" in capsys.readouterr().out


BAD = {
    "episodes 0": ["--episodes", "0"],
    "episodes in words": ["--episodes", "ten"],
    "macro every 0": ["--macro-every-steps", "0"],
    "macro every -1": ["--macro-every-steps=-1"],
    "cap 0": ["--max-steps-per-turn", "0"],
    "player 3": ["--macro-player", "3"],
    "negative seed": ["--seed=-1"],
    "unknown option": ["--speed", "7"],
    "unknown scenario": ["--scenario-file", "macro_defalt"],
    "missing scenario": ["--scenario-file", "no/such.json"],
    "one good one bad": ["--scenario-file", "small_board", "--scenario-file", "no/such.json"],
    "missing rules": ["--game-rules", "no/such.json"],
    "unknown agent": ["--controlled-agent", "Nobody"],
    "unknown training": ["--training-config", "fast"],
    "unknown training of an agent": ["--training-config", "Nobody_training_config"],
    "unknown rewards": ["--rewards-config", "Nobody_rewards_config"],
    "report in no folder": ["--metrics-out", "no/such/report.json"],
    "report onto a folder": ["--metrics-out", "."],
    "page in no folder": ["--report", "no/such/report.html"],
    "page onto the report": ["--report", "one.json", "--metrics-out", "one.json"],
    "duration 0": ["--duration", "0"],
    "duration of nothing": ["--duration", "nan"],
    "duration in words": ["--duration", "long"],
    "warm-up -1": ["--warmup=-1"],
    "workers 0": ["--workers", "0"],
    "sweep 0": ["--sweep-workers", "1,0"],
    "sweep of nothing": ["--sweep-workers", "1,"],
    "sweep and workers": ["--sweep-workers", "1,2", "--workers", "2"],
    "batch 0": ["--batch", "0"],
    "batch below the scenarios": ["--batch", "1", "--scenario-file", "pve", "--scenario-file", "small_board"],
    "unknown backend": ["--backend", "cloud"],
    "address without ray": ["--ray-address", "auto"],
    "traced processes": ["--trace-memory", "--workers", "2"],
    "unknown policy": ["--policy", "clever"],
    "policy of no module": ["--policy", "no.such.module:act"],
    "policy of no name": ["--policy", "json:act"],
    "policy that is no function": ["--policy", "math:pi"],
    "report onto a device": ["--metrics-out", os.devnull, "--overwrite"],
    "report without a name": ["--metrics-out", ""],
}


@pytest.mark.parametrize("arguments", BAD.values(), ids=BAD.keys())
def test_bad_input_is_one_line_and_status_2(arguments: list[str], capsys: Capture) -> None:
    try:
        status: object = cli.main(arguments)
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr()
    assert status == 2
    assert said.out == "", "refused before the run"
    assert said.err.count("\n") == 1
    assert arguments[0].partition("=")[0] in said.err, "names the option"


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        (["--scenario-file", "macro_defalt"], "macro_default"),
        (["--controlled-agent", "Nobody"], "MacroController"),
        (["--training-config", "fast"], "default, debug, super_agent, MacroController_training_config"),
        (["--rewards-config", "Nobody"], "MacroController"),
    ],
)
def test_unknown_name_lists_the_known_ones(arguments: list[str], known: str, capsys: Capture) -> None:
    assert cli.main(arguments) == 2
    assert known in capsys.readouterr().err


def test_report_that_is_there_is_not_replaced(small: tuple[str, ...], tmp_path: Path, capsys: Capture) -> None:
    report = tmp_path / "report.json"
    report.write_text("precious", encoding="utf-8")
    assert cli.main([*small, "--metrics-out", str(report)]) == 2
    assert capsys.readouterr().err.endswith("report.json is there already; --overwrite replaces it\n")
    assert report.read_text(encoding="utf-8") == "precious"
    assert cli.main([*small, "--metrics-out", str(report), "--overwrite"]) == 0
    assert json.loads(report.read_text(encoding="utf-8"))["episodes"] == 3
    assert list(tmp_path.iterdir()) == [report], "no draft is left"


def interrupt_after(monkeypatch: pytest.MonkeyPatch, micro_actions: int) -> None:
    """Ctrl-C inside the loop, after so many actions."""
    left, step = micro_actions, session.step_and_view

    def interrupted(*arguments: Any) -> int:
        nonlocal left
        left -= arguments[4] == STEP  # neither a reset nor a look
        if left == 0:
            raise KeyboardInterrupt
        return step(*arguments)

    monkeypatch.setattr(session, "step_and_view", interrupted)


def test_ctrl_c_leaves_a_valid_partial_report(
    simulate: Simulate, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = simulate("--scenario-file", "small_board", "--seed", "5")
    begun = sum(row["agent_steps"] for row in whole["per_episode"][:2])
    interrupt_after(monkeypatch, begun + 12)
    report = simulate("--scenario-file", "small_board", "--seed", "5", status=130)
    assert report["partial"] is True
    assert report["episodes"] == 2
    assert report["per_episode"][:2] == whole["per_episode"][:2]
    broken = report["per_episode"][2]
    assert broken["interrupted"]
    assert broken["winner"] is None
    assert report["total_steps"] == sum(row["steps"] for row in report["per_episode"])
    assert report["python_memory_peak_kb"] is None
    assert "python_memory_peak_kb" in report["not_measured"]
    assert "PARTIAL REPORT: stopped after 2 of 10 episodes" in capsys.readouterr().out


def test_ctrl_c_between_episodes_is_partial_too(
    small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def stop(number: int, episode: Episode) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("w40k_marl.apps.simulate.report.as_text.episode_line", stop)
    assert cli.main(small) == 130
    assert "stopped after 1 of 3 episodes" in capsys.readouterr().out


def test_ctrl_c_before_the_first_game_is_one_line(
    small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "warm_up", stop)
    assert cli.main(small) == 130
    assert capsys.readouterr().err == "load_sim.py: stopped\n"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_from_outside(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    arguments = [
        sys.executable, "-u", str(ROOT / "tools" / "load_sim.py"), "--scenario-file", "small_board",
        "--episodes", "1000000", "--metrics-out", str(report),
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("[episode 20]"):
                break
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(timeout=60) == 130
        assert "Traceback" not in process.stderr.read()
    data = json.loads(report.read_text(encoding="utf-8"))
    assert data["partial"]
    assert data["episodes"] >= 20


def test_progress_bar_only_at_a_terminal(
    small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert cli.main(small) == 0
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert cli.main(small) == 0
    shown = capsys.readouterr().out
    for number in (1, 2, 3):
        assert f"[episode {number}] steps=" in shown
    assert "3/3" in shown


def test_episodes_alone_are_timed(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither making the environment nor telling about an episode is in the time."""
    import time

    def slowly(*arguments: Any) -> Any:
        time.sleep(0.5)
        return environment(*arguments)

    environment = run.environment
    monkeypatch.setattr(run, "environment", slowly)
    monkeypatch.setattr("w40k_marl.apps.simulate.report.as_text.episode_line", lambda *_: time.sleep(0.2) or "")
    report = simulate("--scenario-file", "small_board", "--episodes", "2")
    assert report["metrics"]["wall_time_sec"] < 0.2


def test_agent_cycle_is_what_is_played(small: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every agent step asks ``last()`` and ends in ``step()``, dead steps included."""
    seen: list[str] = []
    kind = aec.RawEnv
    for name in ("last", "step"):
        original = getattr(kind, name)

        def watched(self: Any, *arguments: Any, name: str = name, original: Any = original) -> Any:
            seen.append(name)
            return original(self, *arguments)

        monkeypatch.setattr(kind, name, watched)
    played: list[Episode] = []
    play = AECRunner.play_episode
    monkeypatch.setattr(AECRunner, "play_episode", lambda *given: played.append(play(*given)) or played[-1])
    assert cli.main(small) == 0
    cycles = sum(episode.agent_steps + 2 for episode in played) + 1  # and one to warm up
    assert seen.count("last") == seen.count("step") == cycles
