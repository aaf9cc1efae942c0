"""Who is simulated and how: any agent, any layout, the evolutions and the weapon rules, from files and from options."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from w40k_marl.apps.simulate import cli
from w40k_marl.apps.simulate.options import Options
from w40k_marl.apps.simulate.plan import Plan, make_plan
from w40k_marl.apps.simulate.run import run
from w40k_marl.apps.simulate.workers.worker import batch_environment, environment
from w40k_marl.content import paths
from w40k_marl.content.paths import list_data
from w40k_marl.content.scenario import scenario_path
from w40k_marl.observe.layout import Layout
from w40k_marl.observe.macro.offensive_profile import ProfileOptions
from w40k_marl.rules.state import DECISIONS
from w40k_marl.train.config import training_config

Capture = pytest.CaptureFixture[str]
ALL = "dynamic_weights,best_weapons=3,real_range,weapon_rules,selectable_only"


def plan(**options: Any) -> Plan:
    return make_plan(Options(**{"scenario_file": ("small_board",), "seed": 5, **options}))


@pytest.fixture
def big(tmp_path: Path) -> str:
    """A scenario of 20 units of player 1 and 10 objectives."""
    data = json.loads(scenario_path("small_board").read_text(encoding="utf-8"))
    unit = next(unit for unit in data["units"] if unit["player"] == 1)
    taken = {(one["col"], one["row"]) for one in data["units"]} | {tuple(wall) for wall in data.get("wall_hexes", [])}
    own = sum(one["player"] == 1 for one in data["units"])
    board = data.get("board", {"cols": 25, "rows": 21})
    taken |= {tuple(wall) for wall in board.get("wall_hexes", [])}
    free = [(col, row) for row in range(board["rows"] - 1) for col in range(board["cols"]) if (col, row) not in taken]
    for number, (col, row) in zip(range(own, 20), free, strict=False):
        data["units"].append({**unit, "id": f"more{number}", "col": col, "row": row})
    objective = data["objectives"][0]
    data["objectives"] = [{**objective, "id": f"o{number}"} for number in range(10)]
    path = tmp_path / "big.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return str(path)


# --- agents ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", list_data("agents"))
def test_every_agent_can_be_controlled(agent: str) -> None:
    outcome = run(plan(controlled_agent=agent, episodes=1))
    assert outcome.tally.counts.episodes == 1
    assert outcome.plan.rewards_name == agent


def test_agent_without_training_has_the_default_settings_and_says_so() -> None:
    found = training_config(agent="Tyranid_Infantry_Swarm_MeleeSwarm")
    assert found == training_config("Tyranid_Infantry_Swarm_MeleeSwarm_training_config")
    assert found.where == "default settings, as Tyranid_Infantry_Swarm_MeleeSwarm has no training.json"
    assert environment(plan(controlled_agent="Tyranid_Infantry_Swarm_MeleeSwarm")).layout == Layout()


def test_entry_of_an_agent_without_training_is_refused(capsys: Capture) -> None:
    given = ["--controlled-agent", "Tyranid_Infantry_Swarm_MeleeSwarm", "--training-config", "debug"]
    assert cli.main(given) == 2
    assert "expected one of default, Tyranid_Infantry_Swarm_MeleeSwarm_training_config" in capsys.readouterr().err


# --- capacities --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [environment, batch_environment])
def test_capacities_follow_from_the_scenario(big: str, make: Callable[[Plan], Any]) -> None:
    whole = plan(scenario_file=("small_board", big), episodes=2, batch=2)
    assert make(whole).layout == Layout(units_per_side=20, objectives=10)


@pytest.mark.parametrize("batch", [None, pytest.param(2, marks=pytest.mark.slow)])  # compiled for this layout
def test_games_of_more_than_sixteen_units_are_simulated(big: str, batch: int | None) -> None:
    assert run(plan(scenario_file=(big,), episodes=2, batch=batch)).tally.counts.episodes == 2


def test_capacities_do_not_shrink_below_the_usual_ones() -> None:
    assert environment(plan()).layout == Layout()


@pytest.mark.parametrize(
    "given",
    [{"layout": ("units_per_side=18",)}, {"layout": ("objectives=9",)}, {"training_config": "debug"}],
    ids=str,
)
def test_layout_that_is_given_holds_and_is_refused_where_it_is_too_small(big: str, given: dict[str, Any]) -> None:
    with pytest.raises(
        ValueError, match=r"--layout: expected (units_per_side=20|objectives=10), which the scenarios need"
    ):
        plan(scenario_file=(big,), **given)


def test_named_entry_is_widened_by_the_option(big: str) -> None:
    whole = plan(scenario_file=(big,), training_config="super_agent", layout=("units_per_side=20,objectives=10",))
    assert environment(whole).layout == Layout(20, 10, intents=True, macro=True)


def test_more_units_than_the_rules_hold_are_refused(big: str, tmp_path: Path) -> None:
    data = json.loads(Path(big).read_text(encoding="utf-8"))
    unit = data["units"][-1]
    board = {"cols": 60, "rows": 40}
    data["board"] = board
    data["units"] = [{**unit, "id": n, "col": n % 60, "row": n // 60} for n in range(65)]
    path = tmp_path / "huge.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(ValueError, match="units of player 1: expected at most 64, got 65"):
        environment(plan(scenario_file=(str(path),)))


# --- options and training.json -----------------------------------------------------------------------------


def test_options_reach_the_environment() -> None:
    whole = plan(
        layout=("macro,intents", "units_per_side=12"),
        profile=(ALL,),
        weapon_rules="full",
        decisions="reference",
        max_turns=3,
    )
    for made in (environment(whole), batch_environment(whole)):
        assert made.layout == Layout(12, 8, intents=True, macro=True)
        session = getattr(made, "session", None) or made._session
        assert session.options.profile == ProfileOptions(True, 3, True, True, True)
        world = session.setting.world
        assert (world.weapon_rules, world.decisions, world.max_turns) == (1, DECISIONS.index("reference"), 3)


def test_options_are_in_the_manifest(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    given = ["--scenario-file", "small_board", "--episodes", "1", "--metrics-out", str(out)]
    given += ["--layout", "macro", "--layout", "macro_extras=true", "--profile", ALL, "--weapon-rules", "full"]
    assert cli.main(given) == 0
    told = json.loads(out.read_text(encoding="utf-8"))["manifest"]["options"]
    assert told["layout"] == {
        "units_per_side": 16, "objectives": 8, "intents": False, "macro": True, "macro_extras": True,
    }  # fmt: skip
    assert told["profile"]["best_weapons"] == 3
    assert told["profile"]["real_range"] is True
    assert (told["weapon_rules"], told["max_turns"], told["training_config"]) == ("full", 5, "default")


def test_profile_and_layout_of_training_json_are_played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "_PACKAGE", tmp_path)
    folder = tmp_path / "_data" / "agents" / "Scout"
    folder.mkdir(parents=True)
    (tmp_path / "_data" / "scenarios").mkdir()
    shipped = Path(__file__).resolve().parents[3] / "scenarios" / "small_board.json"
    (tmp_path / "_data" / "scenarios" / "small_board.json").write_bytes(shipped.read_bytes())
    entry = {
        "scenario": "small_board",
        "weapon_rules": "full",
        "layout": {"macro": True, "units_per_side": 10},
        "profile": {"real_range": True, "best_weapons": 2},
    }
    (folder / "training.json").write_text(json.dumps({"default": entry}), encoding="utf-8")
    (folder / "rewards.json").write_text('{"terms": {"win": 1}}', encoding="utf-8")
    env = environment(make_plan(Options(controlled_agent="Scout", seed=1)))
    assert env.layout == Layout(10, 8, macro=True)
    assert env.session.options.profile == ProfileOptions(real_range=True, best_weapons=2)
    assert env.session.setting.world.weapon_rules == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--layout", "units=20"],
        ["--layout", "units_per_side"],
        ["--layout", "units_per_side=0"],
        ["--layout", "units_per_side=65"],
        ["--layout", "units_per_side=" + "9" * 5000],
        ["--layout", "macro=1"],
        ["--layout", "macro="],
        ["--layout", "macro,macro=false"],
        ["--layout", "macro_extras"],
        ["--layout", ""],
        ["--layout", "obs\x00size"],
        ["--profile", "real_range"],
        ["--profile", "best_weapons=9", "--layout", "macro"],
        ["--profile", "realrange", "--layout", "macro"],
        ["--max-turns", "0"],
        ["--max-turns", "1001"],
        ["--batch", "99999999999"],
        ["--batch", "16000000"],
        ["--workers", "99999999999"],
        ["--workers", "4096", "--batch", "65536"],
        ["--episodes", "9" * 40],
        ["--warmup", "9" * 40],
        ["--macro-every-steps", "9" * 40],
        ["--max-steps-per-turn", "9" * 40],
        ["--seed", "9" * 40],
        ["--seed", "9" * 5000],
    ],
    ids=lambda given: " ".join(given)[:40].encode("unicode_escape").decode(),
)
def test_settings_that_cannot_be_are_one_line(arguments: list[str], capsys: Capture) -> None:
    try:
        status: object = cli.main(["--scenario-file", "small_board", *arguments])
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr()
    assert status == 2
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert len(said.err) < 400
    assert arguments[0] in said.err or arguments[-2] in said.err
