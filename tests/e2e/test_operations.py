"""OPS scenarios: the operators' tools on the real program, handlers and definition, in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.options import FULL
from contract.state_machines import INLINE
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.finish import Finisher
from handlers.commands.pipeline.run import Progress
from handlers.commands.pipeline.successor import Waker
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.core.aws import clients as aws
from handlers.core.errors import SkipRefused
from handlers.operations.explain import Explainer, Explanation
from handlers.operations.failed import Selection, find_failed
from handlers.operations.redrive import Redriver
from handlers.operations.skip import Skipper
from handlers.state_machines.stepfunctions import StepFunctions
from handlers.topics.sns import SnsTopic
from tests.support.deployments import Deployed
from tests.support.pipelines import KEY

#: Until the last of many waits has expired: at once with STANDARD, sweep after sweep with EXPRESS, which has no timers.
EXPIRY_SECONDS = 3 * 3600
#: A short limit and few looks at what waits, so that an expiry costs few calls.
ONE_HOUR = {"waitLimitHours": "1", "waitPollSeconds": "1200", "sweepMinutes": "20", "statusDetail": "terminal"}


class Operator:
    """The tools, on a deployment."""

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        clock, store = deployed.scheduler, deployed.store
        workflows = StepFunctions(aws.stepfunctions())
        repository = CommandRepository(store, clock.now)
        progress = Progress(store, clock, lease_seconds=1, detail=FULL)
        topic = SnsTopic(aws.sns(), deployed.runtime.outputs["alarmTopicArn"])
        recorder = FailureRecorder(repository, progress, topic, deployed.tables["commands"])
        starter = CommandStarter(workflows, deployed.machine_arn)
        self.redriver = Redriver(store, clock, starter, recorder, dry_run=False)
        self.skip = Skipper(store, clock, Finisher(repository, progress, Waker(workflows, starter)), recorder)

    def explain(self, key: EntityKey = KEY) -> Explanation:
        return Explainer(self._deployed.store, self._deployed.scheduler)(key)


class Broken:
    """A target that refuses some versions until it is repaired."""

    def __init__(self, *versions: int) -> None:
        self.versions = set(versions)

    def __call__(self, command: Command) -> None:
        if command.version in self.versions:
            raise RuntimeError("index is full")

    def repair(self) -> None:
        self.versions.clear()


def settle(deployed: Deployed) -> None:
    """Long enough for everything but a wait."""
    deployed.scheduler.run_for(120)


def test_ord_09_ops_01_explain_and_redrive(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, config={"commandWorkflow": any_workflow}) as deployed:
        broken = Broken(2)
        deployed.recorder.behaviours["two"] = broken
        deployed.publish_versions(4)
        settle(deployed)
        operator = Operator(deployed)

        explanation = operator.explain()
        assert [(view.version, view.situation) for view in explanation.versions] == [
            (1, "DONE"),
            (2, "FAILED"),
            (3, "WAITING"),
            (4, "WAITING"),
        ]
        second, third, fourth = explanation.versions[1:]
        assert second.status == "sync_data:FAILED"
        assert second.error == {
            "type": "RuntimeError",
            "message": "index is full",
            "state": "sync_data",
            "target": "two",
        }
        assert second.targets["data"] == "APPLIED"
        assert second.targets["two"] == "FAILED"
        assert [view.blocked_by.root if view.blocked_by else None for view in (third, fourth)] == [2, 2]
        assert len(explanation.what_to_do) == 1
        assert explanation.what_to_do[0].startswith("@2: redrive TENANT#t1 ORDER#o1@2")

        broken.repair()
        calls_before = len(deployed.recorder.calls)
        outcomes = [(one.key.version, one.outcome) for one in operator.redriver.version(VersionKey(KEY, 2))]
        assert outcomes == [(2, "REDRIVEN"), (3, "WAIT_RESTARTED"), (4, "WAIT_RESTARTED")]
        deployed.run()
        assert [deployed.row(version)["status"] for version in (1, 2, 3, 4)] == ["finish:FINISHED"] * 4
        assert deployed.applied_versions() == [1, 2, 3, 4]
        again = [call for call in deployed.recorder.calls[calls_before:] if call[2] == 2]
        assert again == [("two", "o1", 2)]  # the targets that had it are not called again
        assert operator.explain().what_to_do == ["nothing: every version is done"]
        assert len(deployed.alarms()) == 1


def test_ord_10_skip(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, config={"commandWorkflow": any_workflow}) as deployed:
        deployed.recorder.behaviours["two"] = Broken(2)
        deployed.publish_versions(3)
        settle(deployed)
        skipped = Operator(deployed).skip(VersionKey(KEY, 2))
        assert skipped.woken
        assert skipped.applied["data"] == "APPLIED"
        deployed.run()
        assert [deployed.row(version)["status"] for version in (1, 2, 3)] == [
            "finish:FINISHED",
            "skipped",
            "finish:FINISHED",
        ]
        assert "openShard" not in deployed.row(2)
        assert deployed.recorder.versions("two") == [1, 2, 3]


def test_ord_19_skip_is_refused_while_the_map_runs(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, config={"commandWorkflow": any_workflow}) as deployed:
        reasons: list[str] = []

        def skip_now(command: Command) -> None:
            with pytest.raises(SkipRefused) as caught:
                Operator(deployed).skip(VersionKey(KEY, command.version))
            reasons.append(str(caught.value))
            if command.version == 1:
                with pytest.raises(SkipRefused, match="it is not FAILED"):
                    Operator(deployed).skip(VersionKey(KEY, 2))

        deployed.recorder.behaviours["one"] = skip_now
        deployed.publish_versions(2)
        deployed.run()
        assert len(reasons) == 2
        assert all("a run holds it until" in reason for reason in reasons)
        assert deployed.applied_versions() == [1, 2]


def test_ord_11_redrive_brings_fifty_successors_through(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, config={**ONE_HOUR, "commandWorkflow": any_workflow}) as deployed:
        broken = Broken(2)
        deployed.recorder.behaviours["one"] = broken
        deployed.publish_versions(52)
        deployed.scheduler.run_for(EXPIRY_SECONDS)
        errors = [deployed.row(version)["error"] for version in range(3, 53)]
        assert {error["type"] for error in errors} == {"WaitExpired"}
        assert [alarm["sk"] for alarm in deployed.alarms()] == [KEY.version_sk(2)]

        broken.repair()
        outcomes = Operator(deployed).redriver.version(VersionKey(KEY, 2))
        assert [(one.key.version, one.outcome) for one in outcomes] == [(v, "REDRIVEN") for v in range(2, 53)]
        deployed.run()
        assert {deployed.row(version)["status"] for version in range(1, 53)} == {"finish:FINISHED"}
        assert deployed.recorder.versions("two") == list(range(1, 53))
        assert deployed.alarms() == []


def test_ops_02_a_hundred_failed_commands_finish_in_order(tmp_path: Path, workflow: str) -> None:
    with Deployed(tmp_path, config={**ONE_HOUR, "commandWorkflow": workflow}) as deployed:
        codes = [f"o{number}" for number in range(25)]
        deployed.publish(CommandInput("ORDER", "fine", "n", {}))
        deployed.run()
        since = deployed.scheduler.now()
        broken = Broken(1)
        deployed.recorder.behaviours["one"] = broken
        for code in codes:
            deployed.publish_versions(4, code=code)
        deployed.scheduler.run_for(EXPIRY_SECONDS)
        broken.repair()

        found = find_failed(deployed.store, Selection(since=since), limit=1000)
        assert len(found.keys) == 100
        outcomes = list(Operator(deployed).redriver.all(found.keys))
        assert [one.outcome for one in outcomes] == ["REDRIVEN"] * 100
        deployed.run()
        for code in codes:
            assert deployed.applied_versions(EntityKey("TENANT", "t1", "ORDER", code)) == [1, 2, 3, 4]
            assert deployed.recorder.versions("two", code) == [1, 2, 3, 4]
        assert find_failed(deployed.store, Selection(), limit=1000).keys == []


def test_dup_05_redrive_of_a_finished_command(tmp_path: Path, any_workflow: str) -> None:
    with Deployed(tmp_path, config={"commandWorkflow": any_workflow}) as deployed:
        deployed.publish_versions(1)
        deployed.run()
        before, calls = deployed.row(1), list(deployed.recorder.calls)
        (outcome,) = Operator(deployed).redriver.version(VersionKey(KEY, 1))
        deployed.run()
        assert outcome.outcome == "FINISHED"
        assert deployed.row(1) == before
        assert deployed.recorder.calls == calls
        assert len(deployed.executions()) == (any_workflow != INLINE)


def test_who_waits_on_outlives_its_execution_without_an_alarm(tmp_path: Path, workflow: str) -> None:
    """A redrive restarts the clock of the waiting; the execution that waits has a time limit of its own."""
    with Deployed(tmp_path, config={**ONE_HOUR, "commandWorkflow": workflow}) as deployed:
        broken = Broken(1)
        deployed.recorder.behaviours["one"] = broken
        deployed.publish_versions(3)
        operator = Operator(deployed)
        for _ in range(4):
            deployed.scheduler.run_for(45 * 60)
            operator.redriver.version(VersionKey(KEY, 1))
        assert [deployed.row(version)["status"] for version in (2, 3)] == ["wait_prev_command:STARTED"] * 2
        assert {alarm["sk"] for alarm in deployed.alarms()} == {KEY.version_sk(1)}

        deployed.scheduler.run_for(120)
        broken.repair()
        operator.redriver.version(VersionKey(KEY, 1))
        deployed.scheduler.run_for(2 * 20 * 60)
        assert [deployed.row(version)["status"] for version in (1, 2, 3)] == ["finish:FINISHED"] * 3
