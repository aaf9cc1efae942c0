"""`select_model_for_unit`: the mapping, the explicit default, and the refusals."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

import w40k_marl
from w40k_marl import select_model_for_unit
from w40k_marl.errors import ContentError, W40KError
from w40k_marl.policy.errors import UnitTypeMissingError, UnmappedUnitTypeError

MAPPING = {"Hormagaunt": "swarm", "TyranidWarriorRanged": "troop"}


def unit(**keys: Any) -> Mapping[str, Any]:
    return MappingProxyType({"id": "8", "player": 2, **keys})


@pytest.mark.parametrize("default", ["other", None])
def test_mapped_type_has_its_model(default: str | None) -> None:
    assert select_model_for_unit(unit(unitType="Hormagaunt"), MAPPING, default) == "swarm"
    assert select_model_for_unit(unit(unitType="TyranidWarriorRanged"), MAPPING, default) == "troop"


def test_default_plays_every_other_type() -> None:
    assert select_model_for_unit(unit(unitType="Carnifex"), MAPPING, "other") == "other"


@pytest.mark.parametrize("keys", [{}, {"unitType": ""}, {"unitType": None}, {"unitType": ["Hormagaunt"]}])
def test_unit_without_a_type_is_refused(keys: dict[str, Any]) -> None:
    with pytest.raises(UnitTypeMissingError, match=r"unit 8: expected .*unitType"):
        select_model_for_unit(unit(**keys), MAPPING, "other")


def test_type_without_a_model_is_refused_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(UnmappedUnitTypeError, match=r'Hormagaunt, TyranidWarriorRanged.*got "Hormagant".*did you mean'):
        select_model_for_unit(unit(unitType="Hormagant"), MAPPING, None)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("w40k_marl.meta", logging.ERROR)
    assert record.getMessage().startswith("[META] unitType=Hormagant -> no model")


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ({"id": "8", "player": 2, "scenario": "pve"}, "unit 8 of player 2 in pve: unitType: expected"),
        ({"player": 2}, "of player 2: unitType: expected"),
        ({}, "unitType: expected"),
    ],
)
def test_refusal_names_what_is_known_of_the_unit(keys: dict[str, Any], where: str) -> None:
    with pytest.raises(UnmappedUnitTypeError, match=f"^{where}"):
        select_model_for_unit({"unitType": "Carnifex", **keys}, MAPPING, None)


@pytest.mark.parametrize(
    ("mapping", "default", "key", "got"),
    [
        ({"Hormagaunt": None}, "other", "model_by_unit_type.Hormagaunt", "None"),
        ({"Hormagaunt": ""}, None, "model_by_unit_type.Hormagaunt", "''"),
        ({}, "", "default_model", "''"),
        ({}, 3, "default_model", "3"),
        (None, "other", "model_by_unit_type", "None"),
    ],
)
def test_mapping_without_agent_keys_is_refused(mapping: Any, default: Any, key: str, got: str) -> None:
    with pytest.raises(ContentError) as caught:
        select_model_for_unit(unit(unitType="Hormagaunt"), mapping, default)
    assert (caught.value.key, caught.value.got) == (key, got)


@pytest.mark.parametrize("nobody", [None, "8", 8])
def test_what_is_no_unit_is_refused(nobody: Any) -> None:
    with pytest.raises(UnitTypeMissingError, match="unit: expected a mapping with unitType, got"):
        select_model_for_unit(nobody, MAPPING, "other")


def test_refusals_are_one_family() -> None:
    assert issubclass(UnmappedUnitTypeError, W40KError)
    assert not issubclass(UnmappedUnitTypeError, UnitTypeMissingError)


def test_names_of_the_document_are_at_the_top_of_the_package() -> None:
    for name in w40k_marl.__all__:
        assert callable(getattr(w40k_marl, name))
    with pytest.raises(AttributeError, match="no attribute 'select_model'"):
        w40k_marl.select_model  # noqa: B018
