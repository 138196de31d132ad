"""Fields shared by several types of states."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.states.definition.fields import Fields, refuse

_LATER = "is not supported by this runtime yet"

#: ASL fields that exist in AWS and that this runtime refuses, with the reason.
UNSUPPORTED = {
    "Assign": f"variables (Assign) {_LATER}",
    "Arguments": "JSONata (Arguments) is not supported, use JSONPath (Parameters)",
    "Output": "JSONata (Output) is not supported, use JSONPath (ResultSelector, OutputPath)",
    "Credentials": f"calling with other credentials (Credentials) {_LATER}",
}


def open_state(value: Any, where: str, names: Iterable[str], unsupported: dict[str, str] | None = None) -> Fields:
    """The fields of a state that has exactly one of Next and ``End: true``."""
    allowed = ("Type", "QueryLanguage", "InputPath", "OutputPath", "Next", "End", *names)
    fields = Fields(value, where, allowed, {**UNSUPPORTED, **(unsupported or {})})
    if "End" in fields and fields.value["End"] is not True:
        raise refuse(fields.at("End"), "must be true where it is given")
    fields.only_one("Next", "End", needed=True)
    return fields


def common(name: str, fields: Fields) -> dict[str, Any]:
    """The fields of every state that may have a next one, as keyword arguments of its class."""
    return {
        "name": name,
        "type": fields.text("Type"),
        "input_path": fields.path("InputPath"),
        "output_path": fields.path("OutputPath"),
        "next": fields.text("Next") if "Next" in fields else None,
    }
