"""ORD and DUP scenarios: the real definition and handlers on the local runtime, in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.state_machines import INLINE
from handlers.store.port import COMMANDS, DATA
from local.aws.model import AwsRequest, AwsResponse
from local.functions.model import InvokeResult
from local.sources.faults import DeliveryFaults
from tests.support.deployments import Deployed
from tests.support.pipelines import KEY, order


def version_of(payload: Any) -> int:
    return int(payload["context"]["Execution"]["Input"]["sk"].rpartition("@")[2])


def test_ord_01_02_03_versions_wait_for_their_turn(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.publish_versions(3)
        deployed.run()
        results = [
            (version_of(payload), result.payload[0][0]["result"])
            for name, payload, result in deployed.answers
            if name.endswith("-states") and payload["context"]["State"]["Name"] == "check_version"
        ]
        assert (1, 0) in results or any_workflow == INLINE
        assert deployed.applied_versions() == [1, 2, 3]


def test_ord_04_a_gap(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.publish_versions(1)
        deployed.run()
        deployed.publish(order(1, n=2))
        deployed.publish(order(2, n=3))
        client = deployed.store._client
        key = {"pk": {"S": KEY.pk}, "sk": {"S": KEY.version_sk(2)}}
        client.delete_item(TableName=deployed.tables[COMMANDS], Key=key)
        deployed.run()
        row = deployed.row(3)
        assert row["status"] == "check_version:FAILED"
        assert row["error"]["type"] == "VersionGap"
        assert [alarm["sk"] for alarm in deployed.alarms()] == [KEY.version_sk(3)]
        assert deployed.applied_versions() == [1]


def test_ord_05_a_mismatch(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        deployed.publish(order(0, n=1))
        deployed.store.put(DATA, {"pk": KEY.pk, "sk": KEY.sk, "version": 2})
        deployed.run()
        row = deployed.row(1)
        assert row["status"] == "check_version:FAILED"
        assert row["error"]["message"] == "next version must be 3 but got 1"
        if any_workflow != INLINE:
            (execution,) = deployed.executions()
            assert (execution.error, execution.cause) == ("VersionMismatch", "next version must be 3 but got 1")
        assert len(deployed.alarms()) == 1


def test_ord_06_the_predecessor_finishes_between_check_and_token(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:

        def late(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            deployed.scheduler.sleep(20)
            return proceed(payload)

        deployed.intercept("wait_prev_command", late)
        deployed.publish_versions(2)
        begin = deployed.scheduler.now()
        deployed.run()
        assert deployed.applied_versions() == [1, 2]
        assert deployed.scheduler.now() - begin < 60


def test_ord_07_the_predecessor_finishes_after_the_token(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(10)
        deployed.publish_versions(2)
        begin = deployed.scheduler.now()
        deployed.run()
        assert deployed.applied_versions() == [1, 2]
        second = deployed.executions()[1]
        assert second.visited().count("wait_prev_command") == 1
        assert deployed.scheduler.now() - begin < 60


@pytest.mark.parametrize("seed", range(8))
def test_ord_08_both_sides_may_resume(tmp_path: Path, any_workflow: str, seed: int) -> None:
    with Deployed(tmp_path, workflow=any_workflow, seed=seed) as deployed:
        deployed.publish_versions(3)
        deployed.run()
        assert deployed.applied_versions() == [1, 2, 3]
        assert deployed.recorder.versions("one") == [1, 2, 3]
        assert {one.status for one in deployed.executions()} <= {"SUCCEEDED"}
        assert deployed.alarms() == []


def test_ord_12_a_lost_resume_is_healed_by_the_poll(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        lost: list[str] = []

        def lose(request: AwsRequest) -> AwsResponse:
            lost.append(request.params["taskToken"])
            return AwsResponse(200, {"content-type": "application/x-amz-json-1.0"}, b"{}")

        deployed.runtime.endpoint.replace("stepfunctions", "SendTaskSuccess", lose)
        deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(10)
        deployed.publish_versions(2)
        begin = deployed.scheduler.now()
        deployed.run()
        assert lost
        assert deployed.applied_versions() == [1, 2]
        assert 300 <= deployed.scheduler.now() - begin < 400
        assert deployed.alarms() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_ord_13_fifty_versions_in_random_order(tmp_path: Path, any_workflow: str, seed: int) -> None:
    delays = random.Random(seed)
    with Deployed(tmp_path, workflow=any_workflow, seed=seed) as deployed:

        def late(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            deployed.scheduler.sleep(delays.uniform(0, 30 if any_workflow == "STANDARD" else 6))
            return proceed(payload)

        if any_workflow == INLINE:
            batches = [name for name in deployed.runtime.host.names if name.endswith("-apply")]
            interceptors = deployed.runtime.host.interceptors
            interceptors.append(lambda name, payload, go: late(payload, go) if name in batches else go(payload))
        else:
            deployed.intercept("check_version", late)
        deployed.publish_versions(50)
        deployed.run()
        assert deployed.applied_versions() == list(range(1, 51))
        assert [row["version"] for row in deployed.history()] == list(range(1, 50))
        assert deployed.recorder.versions("one") == list(range(1, 51))
        assert {one.status for one in deployed.executions()} <= {"SUCCEEDED"}


def test_ord_15_another_handler_still_runs(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        order_of_events: list[tuple[str, int]] = []

        def slow(command: Any) -> None:
            order_of_events.append(("begin", command.version))
            deployed.scheduler.sleep(4)
            order_of_events.append(("end", command.version))

        deployed.recorder.behaviours["three"] = slow
        deployed.publish_versions(2)
        deployed.run()
        assert order_of_events == [("begin", 1), ("end", 1), ("begin", 2), ("end", 2)]


@pytest.mark.parametrize("later", [0.0, 500.0])
def test_dup_01_a_stream_record_twice(tmp_path: Path, any_workflow: str, later: float) -> None:
    faults = DeliveryFaults(duplicate=1.0, duplicate_after=later)
    with Deployed(tmp_path, workflow=any_workflow, delivery_faults=faults) as deployed:
        deployed.publish_versions(2)
        deployed.run()
        names = [one.name for one in deployed.executions()]
        assert len(set(names)) == (0 if any_workflow == INLINE else 2)
        assert any_workflow != "STANDARD" or len(names) == 2  # EXPRESS takes a name as often as it is given
        assert deployed.applied_versions() == [1, 2]
        assert deployed.recorder.versions("one") == [1, 2]
        assert deployed.statuses(1)[-1] == "finish:FINISHED"
        ends = ("-events", "-apply")
        batches = [payload for name, payload in deployed.payloads if name.endswith(ends) and "Records" in payload]
        assert len(batches) >= 2


def test_many_entities_side_by_side(tmp_path: Path, workflow: str) -> None:
    with Deployed(tmp_path, workflow=workflow, seed=5) as deployed:
        for code in ("a", "b", "c", "d"):
            deployed.publish_versions(3, code=code)
        deployed.run()
        for code in ("a", "b", "c", "d"):
            assert deployed.recorder.versions("two", code) == [1, 2, 3]
