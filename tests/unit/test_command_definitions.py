"""The two command machines: the same states where they must agree, and a time budget for EXPRESS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "infra" / "state_machines"
#: An EXPRESS execution ends after 300 s; what takes longer must not be possible (docs/spec/pipeline.md).
EXPRESS_BUDGET_SECONDS = 270
OWN = {"wait_prev_command", "park", "park_result"}


def states(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}

    def collect(machine: dict[str, Any]) -> None:
        for state, body in machine["States"].items():
            found[state] = body
            if body["Type"] == "Map":
                collect(body["ItemProcessor"])

    collect(json.loads((FOLDER / f"{name}.asl.json").read_text()))
    return found


STANDARD, EXPRESS = states("command"), states("command_express")


@pytest.mark.parametrize("state", sorted((set(STANDARD) & set(EXPRESS)) - OWN))
def test_shared_states_differ_in_time_and_tries_only(state: str) -> None:
    def essence(body: dict[str, Any]) -> Any:
        kept = {key: value for key, value in body.items() if key not in ("Comment", "TimeoutSeconds", "Retry", "Cause")}
        text = json.dumps(kept, sort_keys=True)
        if "ItemProcessor" in kept:
            text = json.dumps({**kept, "ItemProcessor": sorted(kept["ItemProcessor"]["States"])}, sort_keys=True)
        return text.replace('"wait_prev_command"', '"park"')

    assert essence(STANDARD[state]) == essence(EXPRESS[state])


def test_each_variant_has_its_own_wait() -> None:
    assert set(STANDARD) ^ set(EXPRESS) == OWN
    assert "waitForTaskToken" not in json.dumps(EXPRESS)
    errors = {error for retrier in STANDARD["check_version"]["Retry"] for error in retrier["ErrorEquals"]}
    (retrier,) = EXPRESS["check_version"]["Retry"]
    assert set(retrier["ErrorEquals"]) == errors | {"States.Timeout"}


def longest_seconds(body: dict[str, Any]) -> float:
    """Every try runs into the state's limit; jitter only shortens the pauses between them."""
    tries, pauses = 1, 0.0
    for retrier in body.get("Retry", []):
        for number in range(retrier["MaxAttempts"]):
            tries += 1
            pause = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** number
            pauses += min(pause, retrier.get("MaxDelaySeconds", pause))
    return float(tries * body["TimeoutSeconds"] + pauses)


def test_the_longest_way_through_express_fits_its_budget() -> None:
    way = ["check_version", "park", "check_version", "set_ttl_command", "history_copy", "transform_data", "sync_data"]
    way += ["finish", "record_failure"]
    assert {name for name, body in EXPRESS.items() if body["Type"] == "Task"} == set(way)
    seconds = sum(longest_seconds(EXPRESS[state]) for state in way)
    print(f"longest way through EXPRESS: {seconds:.0f} s")
    assert seconds <= EXPRESS_BUDGET_SECONDS
