"""Prints the JSON schema of scenario files, generated from the models that check them.

``python -m w40k_marl.content.json_schema > docs/scenario.schema.json``
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from .reading import COMMENT, SCHEMA
from .schemas import ScenarioFile

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Any]:
    """Return the schema: a scenario object, or the bare list of its units (spec 01 4.1).

    It defines form and bounds. Only the loader checks conditions on two keys, such as a unit on a
    wall.
    """
    (_, components) = msgspec.json.schema_components([ScenarioFile], ref_template="#/$defs/{name}")
    for component in components.values():
        if component.get("additionalProperties") is False:
            component["properties"][COMMENT] = {"description": "Anything; nothing reads it"}
    components["ScenarioFile"]["properties"][SCHEMA] = {
        "type": "string",
        "description": "Where editors find this schema",
    }
    units = components["ScenarioFile"]["properties"]["units"]
    return {
        "$schema": DIALECT,
        "title": "w40k_marl scenario",
        "anyOf": [{"$ref": "#/$defs/ScenarioFile"}, units],
        "$defs": components,
    }


def main() -> None:
    """Print the schema in the form that the repository contains."""
    sys.stdout.write(json.dumps(scenario_schema(), indent=2) + "\n")


if __name__ == "__main__":
    main()
