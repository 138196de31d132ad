"""OPS-04, WF-05, SAGA-01 to SAGA-03 and INF-02 on the deployed program: real functions, definitions and roles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main
from contract.collaborators import SYNC_PUBLISHER
from contract.objects import ATTRIBUTES
from contract.tables import COMMANDS, DATA, TASKS
from handlers.commands.keys import EntityKey
from handlers.commands.model import CommandInput
from handlers.core.aws import clients as aws
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from handlers.store.dynamodb import DynamoTableStore
from handlers.workflows.keys import approval_partition, approval_sk
from infra.capabilities.application import GRANTS, STORE_OF_WORKFLOWS
from infra.capabilities.custom_machines import DESCRIBE
from infra.permissions import resources
from infra.permissions.task_tokens import TOKEN_ACTIONS
from local.aws.model import AwsCall
from local.functions.model import InvokeResult, SimulatedCrash
from local.states.running.executions import Execution
from tests.support.deployments import RECORDING, Deployed
from tests.support.permissions import allowed_not_used

MODULES = [RECORDING, "handlers.domain.approval", "handlers.domain.transfer"]
GIVEN = {"tenantCode": "t1", "requestId": "r1", "from": "a", "to": "b", "amount": 30, "requestedBy": "u1"}
ASKED = {"tenantCode": "t1", "requestId": "r1", "subject": "A new chair", "requestedBy": "u1"}
START, MOVED = {"a": 100, "b": 5}, {"a": 70, "b": 35}
#: A workflow that makes the calls that the samples don't.
BUSY = """
from handlers.commands.model import CommandInput
from handlers.core.context import InvokeContext
from handlers.core.errors import RequestConflict, TokenGone
from handlers.workflows.workflow import WorkflowEvent, workflow


@workflow("busy")
class Busy:
    def __init__(self, workflows, publisher):
        self._workflows, self._publisher = workflows, publisher

    def work(self, event: WorkflowEvent):
        self._workflows.heartbeat(event.task_token)
        self._publisher.publish_async(
            CommandInput("ORDER", "big", "big", {"text": "x" * 100_000}), InvokeContext("u", "t1")
        )
        self._workflows.start("transfer", event.input, event.input["requestId"])
        try:
            self._workflows.start("transfer", {"other": 1}, event.input["requestId"])
        except RequestConflict:
            self._workflows.resume(event.task_token, {})
        try:
            self._workflows.fail(event.task_token, "TooLate")
        except TokenGone:
            pass
"""
BUSY_DEFINITION = {
    "StartAt": "work",
    "TimeoutSeconds": 600,
    "States": {
        "work": {
            "Comment": "All at once.",
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "TimeoutSeconds": 300,
            "HeartbeatSeconds": 60,
            "End": True,
        }
    },
}


class Samples(Deployed):
    """The samples, two accounts, and ways to look at them."""

    def __init__(self, tmp_path: Path, **given: Any) -> None:
        extra = given.get("extra", {})
        modules = MODULES + [f"handlers.domain.{name[:-3]}" for name in extra if name.endswith(".py")]
        super().__init__(tmp_path, config={"handlerModules": json.dumps(modules), "sweepMinutes": "60"}, **given)

    def __enter__(self) -> Samples:
        super().__enter__()
        outputs = self.runtime.outputs
        self.arns = outputs["customStateMachineArns"]
        self.workflows = StepFunctionsWorkflows(aws.stepfunctions, self.arns)
        self.task_rows = DynamoTableStore(aws.dynamodb(), {TASKS: outputs["tasksTableName"]})
        self.tables[TASKS] = outputs["tasksTableName"]
        return self

    def open_accounts(self) -> None:
        for code, balance in START.items():
            self.publish(CommandInput("ACCOUNT", code, code, {"balance": balance}))
        self.run()

    def execution(self, name: str) -> Execution:
        (found,) = self.runtime.executions.list_executions(self.arns[name])
        return found

    def transfer(self, **given: Any) -> Execution:
        self.workflows.start("transfer", {**GIVEN, **given}, "r1")
        self.run()
        return self.execution("transfer")

    def balances(self) -> dict[str, int]:
        return {code: self.data(EntityKey("TENANT", "t1", "ACCOUNT", code))["attributes"]["balance"] for code in START}

    def approval_row(self) -> dict[str, Any]:
        row = self.task_rows.get(TASKS, approval_partition("t1"), approval_sk("approval", "r1"))
        assert row is not None
        return row


@pytest.fixture
def samples(tmp_path: Path) -> Iterator[Samples]:
    with Samples(tmp_path) as one:
        yield one


def cqrs(samples: Samples, *arguments: str) -> int:
    return main([*arguments, "--region", samples.runtime.endpoint.region])


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_ops_04_wf_05_answered_on_the_command_line(
    samples: Samples, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    samples.workflows.start("approval", ASKED, "r1")
    samples.scheduler.run_for(60)
    token = samples.approval_row()["taskToken"]
    assert cqrs(samples, "approvals", "--tenant", "t1") == 0
    assert "A new chair" in capsys.readouterr().out
    options = ["approve", "approval", "r1", "--tenant", "t1", "--by", "boss"]
    options += ["--reject", "too dear"] if answer == "reject" else []
    for _ in range(2):
        assert cqrs(samples, *options) == 0
    samples.run()
    execution = samples.execution("approval")
    assert (execution.status, execution.error) == (
        ("SUCCEEDED", None) if answer == "approve" else ("FAILED", "Rejected")
    )
    assert cqrs(samples, "approve", "approval", "r1", "--tenant", "t1", "--by", "x", "--reject", "x") == (
        1 if answer == "approve" else 0
    )
    assert cqrs(samples, "approvals", "--tenant", "t1", "--json") == 0
    told = capsys.readouterr()
    assert f"approval r1: {'APPROVED' if answer == 'approve' else 'REJECTED'} by boss" in told.out
    assert "taskToken" not in samples.approval_row()
    rows = [row for table in (COMMANDS, TASKS) for row in samples_rows(samples, table)]
    messages = [str(one) for one in (told, rows, execution.output_text, execution.cause, samples.alarms())]
    assert [text for text in messages if token in text] == []


def samples_rows(samples: Samples, table: str) -> list[Any]:
    store = samples.store if table == COMMANDS else samples.task_rows
    return store.scan(table).items


def test_ops_04_expired_and_unknown(samples: Samples, capsys: pytest.CaptureFixture[str]) -> None:
    samples.workflows.start("approval", ASKED, "r1")
    samples.run()
    assert (samples.execution("approval").error, samples.approval_row()["status"]) == ("Expired", "EXPIRED")
    assert cqrs(samples, "approve", "approval", "r1", "--tenant", "t1", "--by", "boss") == 1
    assert cqrs(samples, "approve", "approval", "r2", "--tenant", "t1", "--by", "boss") == 1
    told = capsys.readouterr().err
    assert "not APPROVED, it is EXPIRED since" in told
    assert "APPROVAL#t1 approval#r2: there is no such approval" in told


def test_saga_01_the_transfer_is_applied(samples: Samples) -> None:
    samples.open_accounts()
    assert samples.transfer().status == "SUCCEEDED"
    assert samples.balances() == MOVED


def test_saga_02_the_transfer_is_undone(samples: Samples) -> None:
    samples.open_accounts()
    execution = samples.transfer(to="nobody")
    assert (execution.status, execution.error) == ("FAILED", "NotFound")
    assert execution.cause == "TENANT#t1 ACCOUNT#nobody: there is no such account"
    assert samples.balances() == START
    assert len(samples.applied_versions(EntityKey("TENANT", "t1", "ACCOUNT", "a"))) == 3


class CrashAt:
    """The function dies before or after one of its AWS calls."""

    def __init__(self, at: int, after: bool) -> None:
        self.at, self._after, self.calls, self.on = at, after, 0, False

    def _counts(self, call: AwsCall) -> bool:
        return self.on and call.caller is not None and call.caller.endswith("-states")

    def before(self, call: AwsCall) -> str | None:
        if self._counts(call):
            self.calls += 1
            if self.calls == self.at and not self._after:
                raise SimulatedCrash
        return None

    def after(self, call: AwsCall) -> None:
        if self._counts(call) and self.calls == self.at and self._after:
            self.at = 0
            raise SimulatedCrash


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("to", ["b", "nobody"])
def test_saga_03_a_crash_at_calls_of_the_functions(tmp_path: Path, to: str, after: bool) -> None:
    """In memory every call is looked at (tests/unit); here some of them, with the real functions."""
    at = 3
    while True:
        crash = CrashAt(at, after)
        folder = tmp_path / str(at)
        folder.mkdir()
        with Samples(folder, faults=crash) as samples:
            samples.open_accounts()
            crash.on = True
            execution = samples.transfer(to=to)
            crash.on = False
            assert execution.status == ("SUCCEEDED" if to == "b" else "FAILED"), f"call {at}: {execution.cause}"
            assert samples.balances() == (MOVED if to == "b" else START), f"call {at}"
        if crash.calls < at:
            break
        at += 9
    assert at > 20


def test_saga_03_every_call_of_a_state_comes_twice(samples: Samples) -> None:
    samples.open_accounts()

    def twice(function: str, payload: Any, proceed: Any) -> InvokeResult:
        proceed(payload)
        result: InvokeResult = proceed(payload)
        return result

    samples.runtime.host.interceptors.append(twice)
    assert samples.transfer(to="nobody").error == "NotFound"
    assert samples.balances() == START


def test_inf_02_workflows_may_what_they_do_and_nothing_else(tmp_path: Path) -> None:
    """Here for the permissions that only deployments with workflows have; test_permissions.py has the others."""
    extra = {"busy.py": BUSY, "busy.asl.json": json.dumps(BUSY_DEFINITION)}
    with Samples(tmp_path, extra=extra) as samples:
        samples.open_accounts()
        samples.workflows.start("busy", GIVEN, "busy 1")
        samples.workflows.start("approval", ASKED, "r1")
        samples.run()
        assert samples.execution("busy").status == "SUCCEEDED"
        assert samples.balances() == MOVED
    unused = [one for one in allowed_not_used(samples.used, samples.policies) if "cqrs-dev-states may " in one]
    ends = {
        resources.table(COMMANDS): "table/cqrs-dev-commands",
        resources.table(DATA): "table/cqrs-dev-data",
        resources.table(TASKS): "table/cqrs-dev-tasks",
        resources.objects(ATTRIBUTES): "/attributes/*",
    }
    asked_for = {**GRANTS[SYNC_PUBLISHER], **STORE_OF_WORKFLOWS}
    added = [(action, ends[name]) for name, actions in asked_for.items() for action in actions]
    added += [(action, f":{name}") for action in TOKEN_ACTIONS for name in samples.arns]
    added += [("states:StartExecution", ":cqrs-dev-transfer"), (DESCRIBE, ":execution:cqrs-dev-transfer:*")]
    assert [one for one in unused if any(f" {action} on " in one and one.endswith(end) for action, end in added)] == []
