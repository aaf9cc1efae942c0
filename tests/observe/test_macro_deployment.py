"""The document's three minimal tests, asked again with real range and sight from the deployment of its scenarios."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from w40k_marl.env.session import Session
from w40k_marl.observe.macro.observation import unit_profiles
from w40k_marl.observe.macro.offensive_profile import OffensiveProfile, ProfileOptions

DEPLOYMENTS = 40
NAMES = ("Intercessor", "Hormagaunt", "TyranidWarriorRanged")

# units of each type in 40 deployments: better at range, better in melee, unable to attack anybody
FOUND = {
    "pve": {
        "Intercessor": (115, 0, 5),
        "Hormagaunt": (0, 130, 150),
        "TyranidWarriorRanged": (35, 25, 20),
    },
    "macro_default": {
        "Intercessor": (152, 0, 8),
        "Hormagaunt": (0, 136, 144),
        "TyranidWarriorRanged": (30, 42, 8),
    },
}


def outcome(profile: OffensiveProfile) -> str:
    if profile.best_ranged_score == profile.best_melee_score == 0:
        return "unable"
    return "ranged" if profile.best_ranged_score > profile.best_melee_score else "melee"


def deployments(scenario: str) -> Counter[tuple[str, str]]:
    """Units by type and outcome at the start of the games of seeds 0, 1, 2, ..."""
    session, counts = Session(scenario), Counter[tuple[str, str]]()
    for seed in range(DEPLOYMENTS):
        session.reset(np.random.default_rng(0), seed)
        profiles = unit_profiles(session.setting, session.games, options=ProfileOptions(real_range=True))
        for number, profile in profiles.items():
            unit = session.setting.units[number]
            assert unit is not None
            counts[unit.type.name, outcome(profile)] += 1
    return counts


@pytest.mark.parametrize("scenario", FOUND)
def test_minimal_tests_of_the_document_under_real_range(scenario: str) -> None:
    """The first two hold for whoever can attack at all; the third for those in sight of nobody they could charge."""
    counts = deployments(scenario)
    found = {name: tuple(counts[name, kind] for kind in ("ranged", "melee", "unable")) for name in NAMES}
    assert found == FOUND[scenario]
    assert found["Intercessor"][1] == 0
    assert found["Hormagaunt"][0] == 0
    ranged, melee, _ = found["TyranidWarriorRanged"]
    assert ranged > 0, "the third holds for some"
    assert melee > 0, "and fails for others"
