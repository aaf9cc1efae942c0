"""Plays random games of every scenario for a given time, with all checks on.

The invariants are checked at each step. Games are restored from snapshots and get invalid actions;
a batch of every setting is played too. The last line is the growth of memory in kilobytes per minute.

Exit status: 0 no check failed; 1 a check failed, or stdout could not be written; 2 invalid input;
130 stopped by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP, with the results so far; 141 the reader of
stdout closed it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from itertools import cycle, product
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent))  # for `python -I`, too

from dev import packages_needed

with packages_needed():
    import numpy as np
    import psutil

    from w40k_marl import w40k_v0
    from w40k_marl.apps.command import OneLineParser
    from w40k_marl.apps.console import guarded, note, say, stopped_by, stopped_status
    from w40k_marl.content.scenario import list_scenarios
    from w40k_marl.env.aec import PLAYERS, RawEnv
    from w40k_marl.env.batch import BatchEnv
    from w40k_marl.env.invariants import check_invariants
    from w40k_marl.errors import ActionError, ContentError, IllegalActionError, W40KError
    from w40k_marl.rules.state import DECISIONS, WEAPON_RULE_SETTINGS

MALFORMED: tuple[Any, ...] = (None, -1, 10**9, 2**70, 1.5, "0", [0], np.float32(0), np.array([1]))
BATCH_ROWS = 16
BATCH_STEPS = 60
BRANCH_STEPS = 12
SECONDS_BETWEEN_SAMPLES = 1
FEWEST_SAMPLES = 10


class ViolationError(AssertionError):
    """A checked property does not hold."""


@dataclass
class Tally:
    """Counts of the work done so far."""

    settings: int = 0
    games: int = 0
    steps: int = 0
    batch_games: int = 0
    batch_steps: int = 0
    refusals: int = 0
    restores: int = 0
    violations: list[str] = field(default_factory=list)


def expect(holds: bool, message: str) -> None:
    """Raise ViolationError with the message if the condition is false."""
    if not holds:
        raise ViolationError(message)


class Soak:
    """All settings, played in turn until the time is up."""

    def __init__(self, seconds: float, seed: int, scenarios: list[str]) -> None:
        """Choose the settings and their order; play nothing yet."""
        self.random = np.random.default_rng(seed)
        self.settings = list(product(scenarios, DECISIONS, WEAPON_RULE_SETTINGS))
        self.random.shuffle(self.settings)
        self.seconds = seconds
        self.tally = Tally()
        self.memory: list[tuple[float, int]] = []
        self.seconds_played, self.rss = 0.0, 0
        self.process = psutil.Process()

    def run(self) -> None:
        """Play each setting in turn until the time is up or a check fails."""
        begun = time.monotonic()
        for number, (scenario, *how) in enumerate(cycle(self.settings)):
            now = time.monotonic() - begun
            if number and now >= self.seconds:
                return
            self.tally.settings = min(number + 1, len(self.settings))
            try:
                self._play(scenario, *how)
                self._play_batch(scenario, *how)
            except Exception as problem:  # every exception is a finding
                where = f"{scenario}, decisions {how[0]!r}, weapon rules {how[1]!r}"
                self.tally.violations.append(f"{where}: {type(problem).__name__}: {problem}")
                return
            self._sample(time.monotonic() - begun, known=number >= len(self.settings))

    def _sample(self, now: float, known: bool) -> None:
        """Sample the memory after every setting is loaded, rarely enough that the samples cost no
        time.
        """
        self.seconds_played, self.rss = now, self.process.memory_info().rss
        if known and (not self.memory or now - self.memory[-1][0] >= SECONDS_BETWEEN_SAMPLES):
            self.memory.append((now, self.rss))

    # --- one game ------------------------------------------------------------------------------------------

    def _play(self, scenario: str, decisions: str, weapon_rules: str) -> None:
        """Play one game of random legal actions, with snapshots and invalid actions in between."""
        env = w40k_v0.raw_env(scenario=scenario, decisions=decisions, weapon_rules=weapon_rules)
        env.reset(options={"game_seed": int(self.random.integers(2**63))})
        paid = dict.fromkeys(PLAYERS, 0.0)
        while not env.terminations[env.agent_selection]:
            chance = self.random.random()
            if chance < 0.02:
                self._branch(env)
            elif chance < 0.06:
                self._malformed(env)
            self._step(env)
            for player in PLAYERS:
                paid[player] += env.rewards[player]
        expect(sum(paid.values()) == 0, f"rewards of a game are {paid}")
        self.tally.games += 1

    def _step(self, env: RawEnv) -> None:
        """Take a random legal action, then check everything that must hold at any time."""
        agent = env.agent_selection
        env.step(int(self.random.choice(np.flatnonzero(env.observe(agent)["action_mask"]))))
        self.tally.steps += 1
        check_invariants(env.session)
        for player in PLAYERS:
            seen = env.observe(player)
            expect(env.observation_space(player).contains(seen), f"an observation outside its space, of {player}")
            acts = player == env.agent_selection and not env.terminations[player]
            expect(bool(seen["action_mask"].any()) == acts, f"the mask of {player} is that of another moment")

    def _branch(self, env: RawEnv) -> None:
        """Play on for some steps, restore the game, and expect the same future in another
        environment.
        """
        snapshot = env.snapshot()
        other = w40k_v0.raw_env(scenario=env.session.setting.scenario.name, **env.session.options.keywords())
        other.restore(snapshot)
        for _ in range(int(self.random.integers(1, BRANCH_STEPS))):
            if env.terminations[env.agent_selection]:
                break
            action = int(self.random.choice(np.flatnonzero(env.observe(env.agent_selection)["action_mask"])))
            env.step(action)
            other.step(action)
            check_invariants(env.session)
        expect(env.snapshot() == other.snapshot(), "a restored game has another future")
        env.restore(snapshot)
        expect(env.snapshot() == snapshot, "a restored game is another game")
        self.tally.restores += 1

    def _malformed(self, env: RawEnv) -> None:
        """Give invalid and illegal actions: each must raise an error and change nothing."""
        before = env.session.games.tobytes()
        illegal = np.flatnonzero(env.observe(env.agent_selection)["action_mask"] == 0)
        kinds = [MALFORMED[int(self.random.integers(len(MALFORMED)))], int(self.random.choice(illegal))]
        for action in kinds:
            try:
                env.step(action)
            except ActionError:
                self.tally.refusals += 1
            else:
                expect(False, f"{action!r} was accepted")
            expect(env.session.games.tobytes() == before, f"{action!r} was refused and changed the game")

    # --- many games ----------------------------------------------------------------------------------------

    def _play_batch(self, scenario: str, decisions: str, weapon_rules: str) -> None:
        """Play a batch of short games: check masks, results, errors of whole steps, snapshots of
        rows.
        """
        batch = BatchEnv(scenario, BATCH_ROWS, decisions=decisions, max_turns=1, weapon_rules=weapon_rules)
        batch.reset(seed=int(self.random.integers(2**63)))
        for _ in range(BATCH_STEPS):
            actions = batch.random_actions()
            chance = self.random.random()
            if chance < 0.1:
                self._refused_step(batch, actions.copy())
            elif chance < 0.2:
                self._branch_row(batch, int(self.random.integers(BATCH_ROWS)))
            batch.step(actions)
            expect(bool(batch.action_masks.any(axis=1).all()), "a row of a batch has no legal action")
            expect(bool((np.abs(batch.observations) <= 1).all()), "a row of a batch shows numbers beyond 1")
            expect(not batch.rewards.sum(axis=1).any(), "rewards of a batch do not sum to 0")
            self.tally.batch_steps += BATCH_ROWS
            self.tally.batch_games += int(batch.ended.sum())
        batch.close()

    def _refused_step(self, batch: BatchEnv, actions: Any) -> None:
        row, before = int(self.random.integers(BATCH_ROWS)), batch.games.tobytes()
        actions[row] = int(self.random.choice(np.flatnonzero(batch.action_masks[row] == 0)))
        try:
            batch.step(actions)
        except IllegalActionError:
            self.tally.refusals += 1
        else:
            expect(False, f"a batch accepted {actions[row]} in row {row}")
        expect(batch.games.tobytes() == before, "a batch refused a step and changed its games")

    def _branch_row(self, batch: BatchEnv, row: int) -> None:
        snapshot, rows = batch.snapshot(row), np.array([row])
        batch.step(batch.random_actions(only=rows), rows)
        batch.restore(row, snapshot)
        expect(batch.snapshot(row) == snapshot, "a restored row is another game")
        try:
            batch.restore(row, snapshot[:-1])
        except ContentError:
            self.tally.refusals += 1
        else:
            expect(False, "a batch accepted half a snapshot")
        self.tally.restores += 1

    # --- report --------------------------------------------------------------------------------------------

    def slope(self) -> float | None:
        """Return the growth of memory in KB per minute by least squares; None for too few samples."""
        if len(self.memory) < FEWEST_SAMPLES:
            return None
        seconds, rss = np.array(self.memory, dtype=float).T
        return float(np.polyfit(seconds / 60, rss / 1024, 1)[0])

    def report(self) -> dict[str, Any]:
        """Return all numbers by name."""
        return {
            **asdict(self.tally),
            "settings_in_all": len(self.settings),
            "seconds": round(self.seconds_played, 1),
            "rss_mb": round(self.rss / 2**20, 1),
            "rss_slope_kb_per_minute": self.slope(),
        }


def show(report: dict[str, Any]) -> str:
    """Return the report as lines."""
    slope = report["rss_slope_kb_per_minute"]
    grown = (
        "growth not measured: too short after every setting was loaded"
        if slope is None
        else f"{slope:+,.0f} KB a minute"
    )
    lines = [
        f"settings   {report['settings']} of {report['settings_in_all']}, in {report['seconds']:,} s",
        f"games      {report['games']:,}, and {report['batch_games']:,} in batches",
        f"steps      {report['steps']:,}, and {report['batch_steps']:,} in batches",
        f"refusals   {report['refusals']:,}, each as it must be",
        f"restores   {report['restores']:,}",
        f"memory     {report['rss_mb']} MB, {grown}",
    ]
    return "\n".join([*lines, *(f"VIOLATION  {violation}" for violation in report["violations"])])


def main(arguments: list[str] | None = None) -> int:
    """Play, print, and return the exit status."""
    return guarded("soak.py", lambda: carry_out(_parser().parse_args(arguments)))


def _parser() -> OneLineParser:
    parser = OneLineParser(prog="soak.py", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long (default 120)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default 0)")
    parser.add_argument("--scenario", action="append", help="this one only; may be repeated (default: all)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def carry_out(options: argparse.Namespace) -> int:
    """Play, print and return the exit status; after Ctrl-C print the results so far.

    Raises W40KError if the input is invalid.
    """
    if options.seed < 0:
        raise W40KError(f"--seed: expected a whole number from 0, got {options.seed}")
    soak = Soak(options.seconds, options.seed, options.scenario or list_scenarios())
    stopped = False
    try:
        soak.run()
    except KeyboardInterrupt:
        stopped = True
    report = {**soak.report(), "partial_because": f"stopped by {stopped_by()}" if stopped else None}
    say(json.dumps(report, indent=2) if options.json else show(report))
    if stopped:
        note(f"soak.py: {report['partial_because']}")
        return stopped_status()
    return 1 if report["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
