"""INL scenarios on the real program: what falls back to the machine, poison, bursts, no more time, two consumers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contract.state_machines import INLINE
from handlers.commands.model import Command
from handlers.core.errors import TransientError
from handlers.store.port import COMMANDS
from local.aws.model import AwsCall
from local.aws.tables.streams import read_new_records
from local.functions.model import InvokeResult, SimulatedCrash
from tests.support.deployments import Deployed
from tests.support.faults import CrashWhere
from tests.support.pipelines import KEY

HOUR = 3600
TERMINAL = {"statusDetail": "terminal"}


def calls_of_apply(deployed: Deployed) -> list[list[str]]:
    """The keys that each call of the function got."""
    return [
        [record["dynamodb"]["Keys"]["sk"]["S"] for record in payload["Records"]]
        for name, payload in deployed.payloads
        if name.endswith("-apply")
    ]


def statuses(deployed: Deployed, codes: list[str]) -> dict[str, str]:
    return {code: deployed.row(1, replace(KEY, code=code))["status"] for code in codes}


def test_inl_01_one_call_and_two_statuses(tmp_path: Path) -> None:
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL) as deployed:
        deployed.publish_versions(1)
        deployed.run()
        assert deployed.statuses(1) == ["publish:ACCEPTED", "finish:FINISHED"]
        assert calls_of_apply(deployed) == [[KEY.version_sk(1)]]
        assert deployed.executions() == []
        assert sorted(deployed.recorder.calls) == [("one", "o1", 1), ("three", "o1", 1), ("two", "o1", 1)]


def test_inl_03_a_slow_target_goes_on_in_the_machine(tmp_path: Path) -> None:
    with Deployed(tmp_path, workflow=INLINE, config={**TERMINAL, "inlineTargetSeconds": "2"}) as deployed:
        tries: list[float] = []

        def slow(_: Command) -> None:
            tries.append(deployed.scheduler.now())
            deployed.scheduler.sleep(10)

        deployed.recorder.behaviours["two"] = slow
        began = deployed.scheduler.now()
        deployed.publish_versions(2)
        deployed.run()
        assert deployed.applied_versions() == [1, 2]
        assert [deployed.row(version)["status"] for version in (1, 2)] == ["finish:FINISHED"] * 2
        assert deployed.recorder.versions("one") == [1, 2]  # what it had is not handed over again
        assert [round(one - began) for one in tries][:2] == [0, 2]
        assert {one.status for one in deployed.executions()} == {"SUCCEEDED"}
        assert deployed.alarms() == []


def test_inl_03_what_the_time_doesn_t_suffice_for_is_handed_over(tmp_path: Path) -> None:
    config = {**TERMINAL, "inlineThreads": "1", "streamBatchSize": "100"}
    with Deployed(tmp_path, workflow=INLINE, config=config) as deployed:
        codes = [f"o{number:02d}" for number in range(20)]
        deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(4)
        for code in codes:
            deployed.publish_versions(1, code=code)
        deployed.run()
        assert set(statuses(deployed, codes).values()) == {"finish:FINISHED"}
        # A minute but for what is kept: 45 s. Twelve of 4 s begin; the last of them has a target left when time is up.
        assert len(deployed.executions()) == 20 - 11
        assert [len(keys) for keys in calls_of_apply(deployed)] == [20]
        assert {result.error for name, _, result in deployed.answers if name.endswith("-apply")} == {None}
        assert [deployed.recorder.versions("one", code) for code in codes] == [[1]] * 20


class NoStarts:
    """StartExecution is throttled for so many calls."""

    def __init__(self, times: int) -> None:
        self.left = times

    def before(self, call: AwsCall) -> str | None:
        if call.operation != "StartExecution" or not self.left:
            return None
        self.left -= 1
        return "ThrottlingException"

    def after(self, call: AwsCall) -> None:
        pass


def test_inl_03_only_where_no_machine_starts_the_record_comes_again(tmp_path: Path) -> None:
    faults = NoStarts(4)  # as often as the client tries
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL, faults=faults) as deployed:
        slow = ["slow"]

        def once_slow(command: Command) -> None:
            if command.code in slow:
                slow.remove(command.code)
                deployed.scheduler.sleep(20)

        deployed.recorder.behaviours["one"] = once_slow
        for code in ("a", "slow", "b"):
            deployed.publish_versions(1, code=code)
        deployed.run()
        assert statuses(deployed, ["a", "slow", "b"]) == dict.fromkeys(("a", "slow", "b"), "finish:FINISHED")
        first, again = calls_of_apply(deployed)
        assert (len(first), again[0]) == (3, "ORDER#slow@0000000001")
        assert [deployed.recorder.versions("two", code) for code in ("a", "slow", "b")] == [[1]] * 3
        assert deployed.executions() == []
        assert deployed.alarms() == []


def test_inl_04_poison_in_a_batch(tmp_path: Path) -> None:
    """One command's handler ends the process, whoever runs it; another record can't be read."""
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL) as deployed:

        def die(command: Command) -> None:
            if command.code == "poison":
                raise SimulatedCrash

        deployed.recorder.behaviours["two"] = die
        good = ["a", "b", "c", "d"]
        for code in (*good[:2], "poison", *good[2:]):
            deployed.publish_versions(1, code=code)
        deployed.store.put(COMMANDS, {"pk": "TENANT#t1", "sk": "no version", "status": "publish:ACCEPTED", "id": "x"})
        deployed.run()
        assert set(statuses(deployed, good).values()) == {"finish:FINISHED"}
        row = deployed.row(1, replace(KEY, code="poison"))
        assert (row["status"], row["error"]["type"]) == ("sync_data:FAILED", "Runtime.ExitError")
        assert [alarm["sk"] for alarm in deployed.alarms()] == ["ORDER#poison@0000000001"]
        assert sum("ORDER#poison@0000000001" in keys for keys in calls_of_apply(deployed)) == 2
        (letter,) = deployed.drain(deployed.runtime.outputs["deadLetterQueueUrls"]["stream-failures"])
        assert "ValidationError" in letter


def test_inl_05_two_hundred_versions_in_one_burst(tmp_path: Path) -> None:
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL, seed=3) as deployed:
        deployed.publish_versions(200)
        deployed.run()
        assert deployed.applied_versions() == list(range(1, 201))
        assert deployed.recorder.versions("one") == list(range(1, 201))
        assert [row["version"] for row in deployed.history()] == list(range(1, 200))
        assert deployed.executions() == []
        assert len(calls_of_apply(deployed)) == 20


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_inl_07_two_consumers_on_one_entity(tmp_path: Path, seed: int) -> None:
    """Its versions come to two calls at the same time, every other one to each, and some to both."""
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL, seed=seed) as deployed:
        runtime, host = deployed.runtime, deployed.runtime.host
        name = next(name for name in host.names if name.endswith("-apply"))
        runtime.run_sources([], [], {})
        deployed.publish_versions(9)
        records, _ = read_new_records(runtime.endpoint, deployed.tables[COMMANDS], 0)
        deployed.recorder.behaviours["two"] = lambda _: deployed.scheduler.sleep(0.5)
        batches = [records[0::2], records[1::2], records[4:6]]
        tasks = [deployed.scheduler.spawn(host.invoke, name, {"Records": list(batch)}) for batch in batches]
        deployed.run()
        answers = [task.future.result().payload for task in tasks]
        assert answers == [{"batchItemFailures": []}] * 3
        assert deployed.applied_versions() == list(range(1, 10))
        for target in ("one", "two", "three"):
            seen = deployed.recorder.versions(target)
            assert seen == sorted(seen)
            assert set(seen) == set(range(1, 10))


def test_ops_05_a_crash_between_done_and_the_parked_successor(tmp_path: Path) -> None:
    """The record comes again and goes on with it."""
    faults = CrashWhere()
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL, faults=faults) as deployed:
        deployed.publish_versions(1)
        deployed.run()

        deployed.recorder.behaviours["one"] = lambda _: deployed.scheduler.sleep(3)
        deployed.publish_versions(1, after=1)
        deployed.scheduler.run_for(1)
        deployed.publish_versions(1, after=2)
        mark_parked(deployed, 3)
        faults.where = lambda call: call.operation == "GetItem" and not faults.crashes
        deployed.scheduler.run_for(60)
        assert faults.crashes == 1
        assert [deployed.row(version)["status"] for version in (1, 2, 3)] == ["finish:FINISHED"] * 3
        assert deployed.applied_versions() == [1, 2, 3]


def test_pipe_07_a_crash_of_the_consumer_is_retried(tmp_path: Path) -> None:
    """Before its first line, and when all is done but not answered."""
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL) as deployed:
        crashes = ["before", "after"]

        def crash(function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            if not function.endswith("-apply") or not crashes:
                return proceed(payload)
            if crashes.pop(0) == "after":
                proceed(payload)
            raise SimulatedCrash

        deployed.runtime.host.interceptors.append(crash)
        deployed.publish_versions(1)  # alone in its batch: a batch of several is split, which is no retry
        deployed.run()
        assert crashes == []
        assert len(calls_of_apply(deployed)) == 3
        deployed.publish_versions(1, after=1)
        deployed.run()
        assert deployed.applied_versions() == [1, 2]
        assert deployed.recorder.versions("one") == [1, 2]
        assert [deployed.row(version)["status"] for version in (1, 2)] == ["finish:FINISHED"] * 2
        assert deployed.executions() == []
        assert deployed.drain(deployed.runtime.outputs["deadLetterQueueUrls"]["stream-failures"]) == []
        assert deployed.alarms() == []


def test_pipe_13_the_machine_that_took_over_can_t_record_either(tmp_path: Path) -> None:
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL) as deployed:

        def die(_: Command) -> None:
            raise SimulatedCrash

        def crash(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            raise SimulatedCrash

        deployed.recorder.behaviours["two"] = die
        deployed.intercept("record_failure", crash)
        deployed.publish_versions(1)
        deployed.run()
        deployed.scheduler.run_for(3 * HOUR)
        assert {one.visited()[-1] for one in deployed.executions()} == {"fail_unrecorded"}
        assert len(deployed.executions()) == 6  # the consumer's, and the sweeper's five
        row = deployed.row(1)
        assert (row["status"].endswith(":FAILED"), row["error"]["type"]) == (True, "NotRunning")
        assert len(deployed.alarms()) == 1


def test_dup_08_the_execution_that_took_over_is_killed_from_outside(tmp_path: Path) -> None:
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL) as deployed:
        killed: list[str] = []

        def busy(_: Command) -> None:
            if not killed:
                raise TransientError("busy")

        def kill(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            if not killed:
                killed.append(payload["context"]["Execution"]["Id"])
                deployed.runtime.executions.stop_execution(killed[0])
            return proceed(payload)

        deployed.recorder.behaviours["one"] = busy
        deployed.intercept("history_copy", kill)
        deployed.publish_versions(2)
        deployed.run()
        assert killed
        deployed.scheduler.run_for(HOUR)
        assert [deployed.row(version)["status"] for version in (1, 2)] == ["finish:FINISHED"] * 2
        assert deployed.applied_versions() == [1, 2]
        assert deployed.alarms() == []


def test_ord_18_the_look_behind_what_is_done_fails_for_good(tmp_path: Path) -> None:
    """It stays done and closed, and is not applied again, however often its record comes."""
    faults = CrashWhere()
    with Deployed(tmp_path, workflow=INLINE, config=TERMINAL, faults=faults) as deployed:
        faults.where = lambda call: call.operation == "GetItem" and str(call.caller).endswith("-apply")
        for version in range(2):
            deployed.publish_versions(1, after=version)
            deployed.scheduler.run_for(HOUR)
        assert faults.crashes > 2
        assert [deployed.row(version)["status"] for version in (1, 2)] == ["finish:FINISHED"] * 2
        assert deployed.applied_versions() == [1, 2]
        assert deployed.recorder.versions("one") == [1, 2]
        assert deployed.alarms() == []
        assert len(deployed.drain(deployed.runtime.outputs["deadLetterQueueUrls"]["stream-failures"])) == 2


def mark_parked(deployed: Deployed, version: int) -> None:
    """As an earlier delivery of its record left it."""
    deployed.store._client.update_item(
        TableName=deployed.tables[COMMANDS],
        Key={"pk": {"S": KEY.pk}, "sk": {"S": KEY.version_sk(version)}},
        UpdateExpression="SET parkedAt = :now, waitingSince = :now",
        ExpressionAttributeValues={":now": {"N": str(int(deployed.scheduler.now()))}},
    )
