from __future__ import annotations

from typing import Any

import pytest

from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.check_version import Refusal, decide
from handlers.commands.pipeline.run import Run
from handlers.commands.repository import Neighbourhood
from tests.support.pipelines import KEY, STATUSES, World, order

NOW = 1_000_000
LIMIT = 24 * 3600
DONE = {"sk": "prev", "status": "finish:STARTED"}
OPEN = {"sk": "prev", "status": "history_copy:STARTED"}
FAILED = {"sk": "prev", "status": "sync_data:FAILED"}


def verdict(version: int, own: dict[str, Any] | None, prev: dict[str, Any] | None, data: int) -> int | Refusal:
    run = Run(VersionKey(KEY, version), "id", 1, "run")
    row = None if own is None else {"id": "id", "attempt": 1, "status": "publish:ACCEPTED", **own}
    return decide(run, Neighbourhood(row, prev, {"version": data} if data else None), NOW, LIMIT)


@pytest.mark.parametrize(
    ("version", "own", "prev", "data", "expected"),
    [
        pytest.param(1, {}, None, 0, 0, id="test_ord_01 first version"),
        pytest.param(2, {}, DONE, 1, 0, id="ord_02 predecessor done"),
        pytest.param(2, {}, {"sk": "p", "status": "skipped"}, 0, 0, id="predecessor skipped"),
        pytest.param(3, {}, OPEN, 1, 1, id="ord_03 predecessor open"),
        pytest.param(3, {}, FAILED, 1, 1, id="predecessor failed: wait for redrive or skip"),
        pytest.param(3, {}, OPEN, 2, 1, id="ord_15 data written, predecessor not done"),
        pytest.param(3, {}, None, 2, 0, id="predecessor expired"),
        pytest.param(3, {}, None, 3, 0, id="re-run after the data write, predecessor expired"),
        pytest.param(1, {}, None, 1, 0, id="re-run of the first version"),
        pytest.param(1, {"status": "finish:FINISHED"}, None, 2, 2, id="ord_05 own done"),
        pytest.param(2, {"status": "skipped"}, DONE, 3, 2, id="ord_05 own skipped and applied over"),
        pytest.param(1, {"status": "sync_data:FAILED"}, None, 0, 2, id="own failed"),
        pytest.param(1, {"attempt": 2}, None, 0, 2, id="own of another attempt"),
        pytest.param(1, {"id": "other"}, None, 0, 2, id="own is another row"),
        pytest.param(1, None, None, 0, 2, id="own absent"),
        pytest.param(2, {"waitingSince": NOW - LIMIT}, OPEN, 1, 1, id="limit not passed yet"),
    ],
)
def test_ord_01_02_03_15_rules(version: int, own: Any, prev: Any, data: int, expected: int) -> None:
    assert verdict(version, own, prev, data) == expected


def test_ord_04_gap() -> None:
    refusal = verdict(3, {}, None, 1)
    assert isinstance(refusal, Refusal)
    assert refusal == Refusal("VersionGap", "version 2 is missing and the data row is at version 1")


def test_ord_05_mismatch() -> None:
    assert verdict(1, {}, None, 2) == Refusal("VersionMismatch", "next version must be 3 but got 1")


def test_wait_limit_names_the_blocker_and_is_silent_behind_a_failed_one() -> None:
    since = {"waitingSince": NOW - LIMIT - 1}
    behind_open = verdict(3, since, OPEN, 1)
    behind_failed = verdict(3, since, FAILED, 1)
    behind_expired = verdict(3, since, {**FAILED, "error": {"blockedBy": "ORDER#o1@0000000001"}}, 0)
    assert isinstance(behind_open, Refusal)
    assert isinstance(behind_failed, Refusal)
    assert isinstance(behind_expired, Refusal)
    behind_waiting = verdict(3, since, {"sk": "prev", "status": "wait_prev_command:STARTED"}, 1)
    assert isinstance(behind_waiting, Refusal)
    assert (behind_open.error, behind_open.blocked_by, behind_open.alarm) == ("WaitExpired", "prev", True)
    assert (behind_waiting.blocked_by, behind_waiting.alarm) == ("prev", False)
    assert (behind_failed.blocked_by, behind_failed.alarm) == ("prev", False)
    assert (behind_expired.blocked_by, behind_expired.alarm) == ("ORDER#o1@0000000001", False)


def test_claim_is_exclusive_until_the_lease_ends() -> None:
    world = World()
    run = world.publish(order(0, n=1))
    other = Run(run.key, run.id, 1, "another execution")
    assert world.pipeline.check_version(run, first_entry=True) == {"result": 0}
    assert world.pipeline.check_version(other, first_entry=True) == {"result": 2}
    assert world.pipeline.check_version(run, first_entry=True) == {"result": 0}
    world.clock.advance(121)
    assert world.pipeline.check_version(other, first_entry=True) == {"result": 0}
    assert world.row(1)["runId"] == "another execution"


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_statuses_of_one_command(detail: str) -> None:
    seen: list[str] = []
    world = World(detail=detail)

    def listen(table: str, before: Any, after: Any) -> None:
        if table == "commands" and (before is None or before["status"] != after["status"]):
            seen.append(after["status"])

    world.memory._listener = listen
    world.publish_and_apply(order(0, n=1))
    assert seen == (STATUSES if detail == "full" else ["publish:ACCEPTED", "finish:FINISHED"])
    row = world.row(1)
    assert "openShard" not in row
    assert "dueAt" not in row
    assert row["targets"]["data"]["outcome"] == "APPLIED"
