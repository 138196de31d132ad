"""The demo's verdict: what counts as a problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cli.demo.outcome import DONE, WAITING, Outcome, blocked

FAILED = "sync_data:FAILED"
REASON = "sync_data failed: SearchIsDown, target failing-search"


def key(code: str, version: int) -> tuple[str, str]:
    return "TENANT#t1", f"AIRPORT#{code}@{version:010d}"


def outcome(rows: dict[tuple[str, str], str], alarms: int = 0) -> Outcome:
    failed = [f"{pk}#{sk}" for (pk, sk), status in rows.items() if status == FAILED]
    return Outcome(
        rows=rows,
        entities={1: len(rows)},
        violations=[],
        alarms=[{"id": one, "content": {"errorMessage": REASON}} for one in failed[:alarms]],
        refused=[],
        commands=len(rows),
        seconds=1.0,
        calls={"dynamodb": 10},
    )


def test_versions_behind_a_failed_one_are_blocked() -> None:
    rows = {
        key("A", 1): FAILED,
        key("A", 2): WAITING,
        key("A", 3): WAITING,
        key("B", 1): DONE,
        key("B", 2): WAITING,
        key("C", 1): DONE,
        key("C", 2): FAILED,
        key("C", 3): WAITING,
    }
    assert blocked(rows) == {key("A", 2), key("A", 3), key("C", 3)}


def test_all_done_is_fine() -> None:
    assert outcome({key("A", 1): DONE}).problems(failures_expected=False) == []


def test_failures_are_fine_where_expected_each_with_its_alarm() -> None:
    found = outcome({key("A", 1): FAILED, key("A", 2): WAITING, key("B", 1): DONE}, alarms=1)
    assert found.problems(failures_expected=True) == []
    assert found.problems(failures_expected=False) == ["1 commands failed"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"violations": ["A: version 3 was written after 1"]}, "A: version 3 was written after 1"),
        ({"commands": 3}, "3 commands were published, 2 are stored"),
        (
            {"rows": {key("A", 1): DONE, key("A", 2): WAITING}},
            "1 commands neither ended nor wait behind a failed one",
        ),
        ({"alarms": [{"id": "TENANT#t1#AIRPORT#A@0000000001"}]}, "0 commands failed, but there were 1 alarms"),
    ],
)
def test_everything_else_is_a_problem(change: dict[str, Any], problem: str) -> None:
    found = replace(outcome({key("A", 1): DONE, key("A", 2): DONE}), **change)
    assert found.problems(failures_expected=True) == [problem]


def test_report_names_what_statuses_mean() -> None:
    text = outcome({key("A", 1): FAILED, key("A", 2): WAITING, key("B", 1): DONE}, alarms=1).report()
    assert "failed in the state sync_data; an alarm was sent" in text
    assert f"{REASON}       1" in text
    assert "waits behind a failed version" in text
    assert "applied to every target" in text
