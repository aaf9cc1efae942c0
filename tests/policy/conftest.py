from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from w40k_marl.env.aec import RawEnv
from w40k_marl.env.session import Session
from w40k_marl.policy.config import MetaConfig

SWARM, TROOP = "Tyranid_Infantry_Swarm_MeleeSwarm", "Tyranid_Infantry_Troop_RangedTroop"

Agents = Callable[..., Path]


@pytest.fixture
def meta() -> MetaConfig:
    """The example of the document in strict mode: two types, two models, nothing else."""
    return MetaConfig(2, {"Hormagaunt": SWARM, "TyranidWarriorRanged": TROOP}, None, strict=True)


@pytest.fixture
def env() -> RawEnv:
    """A game of `pve` in which player 2, the Tyranids, is to act and has activated nobody."""
    raw = RawEnv("pve")
    raw.reset(seed=3)
    random = np.random.default_rng(3)
    while raw.agent_selection != "player_2":
        raw.step(int(random.choice(np.flatnonzero(raw.observe("player_1")["action_mask"]))))
    return raw


@pytest.fixture
def agents(tmp_path: Path) -> Agents:
    """Writes agents with their `policy.json`; the folder of all of them."""

    def write(**policies: dict[str, Any]) -> Path:
        for key, content in policies.items():
            (tmp_path / key).mkdir(exist_ok=True)
            (tmp_path / key / "policy.json").write_text(json.dumps(content), encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def meta_lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """The lines on the logger of the meta-controller so far, from INFO on."""
    caplog.set_level("INFO", logger="w40k_marl.meta")
    return lambda: [record.getMessage() for record in caplog.records if record.name == "w40k_marl.meta"]


@pytest.fixture
def activate() -> Callable[[RawEnv, str], None]:
    """Opens the activation of the first unit of a type in the pool."""

    def open_one(env: RawEnv, unit_type: str) -> None:
        session: Session = env.session
        kinds = {unit.id: unit.type.name for unit in session.setting.units if unit}
        env.step(session.slot_of(next(unit for unit in session.pool() if kinds[unit] == unit_type)))

    return open_one
