"""The table of states: what each state of each machine makes of an input and of what its work comes to.

``tests/fixtures/states/<machine>.json``: ``start`` is the execution's input, ``cases`` the rows: ``state``, ``input``,
where it does work ``result`` or ``error`` with ``retries`` (how often the matching retrier was used before),
``context`` (beside the execution's), and ``expected``: ``status``, ``output``, ``nextState``, ``error``, ``cause`` and
``parameters`` (what the work gets).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.evaluation import evaluated

TABLE = Path(__file__).resolve().parents[1] / "fixtures" / "states"
SAMPLES = ("approval", "three_steps", "transfer")
ACCOUNT = "arn:aws:states:us-east-1:123456789012"
#: Of the definitions as they are deployed.
PREFIX = "cqrs-dev-"


@dataclass(frozen=True)
class Case:
    """One row, as a call of TestState and what must come of it."""

    machine: str
    number: int
    row: Mapping[str, Any]
    params: Mapping[str, Any]

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.machine}[{self.number}] {self.row['state']}"

    @property
    def expected(self) -> dict[str, Any]:
        """What must come of it."""
        found: dict[str, Any] = self.row["expected"]
        return found


def definitions() -> dict[str, str]:
    """Machine to definition as deployed, with all samples."""
    modules = json.dumps([f"handlers.domain.{name}" for name in SAMPLES])
    machines = evaluated("dev", {"handlerModules": modules}).of_type("aws:sfn/stateMachine:StateMachine")
    return {props["name"].removeprefix(PREFIX): props["definition"] for props in machines.values()}


def cases(machine: str, definition: str) -> Iterator[Case]:
    """The rows of a machine."""
    table = json.loads((TABLE / f"{machine}.json").read_text(encoding="utf-8"))
    for number, row in enumerate(table["cases"]):
        yield Case(machine, number, row, _params(definition, row, table["start"]))


def answered(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer of TestState in the table's shape."""
    found = {name: answer[name] for name in ("status", "nextState", "error", "cause") if answer.get(name) is not None}
    if answer["status"] in ("SUCCEEDED", "CAUGHT_ERROR") and "output" in answer:
        found["output"] = json.loads(answer["output"])
    inspected = answer.get("inspectionData", {})
    for field in ("afterParameters", "afterItemSelector"):
        if field in inspected:
            found["parameters"] = json.loads(inspected[field])
    return found


def _params(definition: str, row: Mapping[str, Any], start: Any) -> dict[str, Any]:
    context = {
        "Execution": {
            "Id": f"{ACCOUNT}:execution:machine:e1",
            "Input": start,
            "Name": "e1",
            "StartTime": "2026-01-01T00:00:00.000Z",
        },
        "State": {"EnteredTime": "2026-01-01T00:00:01.000Z", "Name": row["state"], "RetryCount": 0},
        "StateMachine": {"Id": f"{ACCOUNT}:stateMachine:machine", "Name": "machine"},
        **row.get("context", {}),
    }
    params: dict[str, Any] = {
        "definition": definition,
        "stateName": row["state"],
        "input": json.dumps(row["input"]),
        "context": json.dumps(context),
        "inspectionLevel": "DEBUG",
    }
    if "result" in row:
        params["mock"] = {"result": json.dumps(row["result"])}
    if "error" in row:
        params["mock"] = {"errorOutput": row["error"]}
    if "retries" in row:
        params["stateConfiguration"] = {"retrierRetryCount": row["retries"]}
    return params
