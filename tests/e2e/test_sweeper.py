"""DUP-08, OPS-05, OPS-07, ORD-18: what is lost on the way is found in the ``open`` index and ends well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handlers.commands.starter import execution_name
from local.functions.model import InvokeResult, SimulatedCrash
from tests.support.deployments import Deployed
from tests.support.faults import CrashWhere
from tests.support.pipelines import KEY

HOUR = 3600


def open_rows(deployed: Deployed) -> int:
    now = int(deployed.scheduler.now()) + HOUR * 24
    return sum(len(deployed.store.due("commands", shard, now, limit=100).items) for shard in range(16))


def test_dup_08_a_start_that_got_lost(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, workflow=any_workflow) as deployed:
        outputs = deployed.runtime.outputs

        def refuse(function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            raise SimulatedCrash

        deployed.runtime.host.interceptors.append(lambda f, p, go: refuse(f, p, go) if "Records" in p else go(p))
        deployed.publish_versions(2)
        deployed.run()
        deployed.runtime.host.interceptors.pop()
        row = deployed.row(1)
        names = {one.name for one in deployed.executions()}
        assert execution_name(row["pk"], row["sk"], row["id"], 1, 0) not in names
        failed = deployed._sqs.receive_message(
            QueueUrl=outputs["deadLetterQueueUrls"]["stream-failures"], MaxNumberOfMessages=10
        )
        assert failed["Messages"]
        deployed.scheduler.run_for(HOUR)
        assert deployed.applied_versions() == [1, 2]
        assert deployed.recorder.versions("one") == [1, 2]
        assert open_rows(deployed) == 0
        assert deployed.alarms() == []


@pytest.mark.parametrize("state", ["check_version", "history_copy", "sync_data", "finish"])
def test_dup_08_an_execution_killed_from_outside(tmp_path: Path, workflow: str, state: str) -> None:
    """STANDARD: the rule records it and an operator redrives. EXPRESS has no events: the sweeper takes over."""
    with Deployed(tmp_path, workflow=workflow) as deployed:
        killed: list[str] = []

        def kill(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            result: InvokeResult = proceed(payload)
            if not killed and payload["context"]["Execution"]["Input"]["sk"] == KEY.version_sk(1):
                killed.append(payload["context"]["Execution"]["Id"])
                deployed.runtime.executions.stop_execution(killed[0])
            return result

        deployed.intercept(state, kill)
        deployed.publish_versions(2)
        deployed.scheduler.run_for(2 * HOUR)  # the second version may wait for longer
        row = deployed.row(1)
        if workflow == "EXPRESS" or state == "finish":
            assert deployed.applied_versions() == [1, 2]
            assert [deployed.row(version)["status"] for version in (1, 2)] == ["finish:FINISHED"] * 2
            assert open_rows(deployed) == 0
        else:
            assert row["status"].endswith(":FAILED")
            assert row["error"]["type"] == "NotRunning"
            assert [alarm["sk"] for alarm in deployed.alarms()] == [KEY.version_sk(1)]
            assert "wait_prev_command:STARTED" in deployed.statuses(2)


def test_ops_05_a_crash_leaves_a_command_parked(tmp_path: Path) -> None:
    faults = CrashWhere()
    with Deployed(tmp_path, workflow="EXPRESS", faults=faults) as deployed:

        def slow(command: Any) -> None:
            if command.version == 1:
                deployed.scheduler.sleep(3)
                faults.where = lambda call: call.operation == "StartExecution"

        deployed.recorder.behaviours["one"] = slow
        deployed.publish_versions(2)
        deployed.run()
        assert faults.crashes
        assert deployed.row(1)["status"] == "finish:STARTED"
        assert deployed.row(2)["status"] == "wait_prev_command:STARTED"
        faults.where = None
        deployed.scheduler.run_for(2 * HOUR)
        assert deployed.applied_versions() == [1, 2]
        assert deployed.row(1)["status"] == "finish:FINISHED"
        assert open_rows(deployed) == 0


def test_ord_18_finish_fails_for_good_after_done(tmp_path: Path, workflow: str) -> None:
    faults = CrashWhere()
    with Deployed(tmp_path, workflow=workflow, faults=faults) as deployed:

        def no_reads(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            if payload["context"]["Execution"]["Input"]["sk"] == KEY.version_sk(1):
                faults.where = lambda call: call.operation == "GetItem"
            try:
                return proceed(payload)
            finally:
                faults.where = None

        deployed.intercept("finish", no_reads)
        deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(2)
        deployed.publish_versions(2)
        deployed.scheduler.run_for(60)
        assert faults.crashes > 1
        assert deployed.row(1)["status"] == "finish:STARTED"
        # One alarm: the end of the execution, which the rule brings afterwards, has nothing to add (EDGE-16).
        (alarm,) = deployed.alarms()
        assert alarm["content"]["errorMessage"].startswith("after it was applied: finish failed")
        deployed.scheduler.run_for(2 * HOUR)
        assert deployed.row(1)["status"] == "finish:FINISHED"
        assert deployed.row(2)["status"] == "finish:FINISHED"
        assert deployed.applied_versions() == [1, 2]
        assert deployed.recorder.versions("one") == [1, 2]
        assert deployed.alarms() == []
