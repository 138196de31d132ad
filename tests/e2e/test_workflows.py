"""WF-01 to WF-03 on the deployed program."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.core.aws import clients as aws
from handlers.core.errors import ValidationError
from handlers.state_machines.port import CustomWorkflows
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from infra.definitions.workflow_sources import TYPES
from tests.support.deployments import Deployed, project
from tests.support.evaluation import evaluated

SOURCE = """
from handlers.workflows.workflow import WorkflowEvent, workflow


@workflow("greeting", type="{type}")
class Greeting:
    def __init__(self, clock):
        self._clock = clock

    def hello(self, event: WorkflowEvent):
        return {{"text": "hello " + event.input["name"]}}
"""
DEFINITION: dict[str, Any] = {
    "StartAt": "hello",
    "TimeoutSeconds": 60,
    "States": {
        "hello": {
            "Comment": "Says it.",
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "TimeoutSeconds": 60,
            "End": True,
        }
    },
}


def files(kind: str) -> dict[str, str]:
    return {"greeting.py": SOURCE.format(type=kind), "greeting.asl.json": json.dumps(DEFINITION)}


@pytest.fixture(params=TYPES)
def deployed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Deployed]:
    with Deployed(tmp_path, extra=files(request.param)) as one:
        yield one


def workflows_of(deployed: Deployed) -> CustomWorkflows:
    return StepFunctionsWorkflows(aws.stepfunctions, deployed.runtime.outputs["customStateMachineArns"])


def test_wf_01_a_workflow_is_two_files(deployed: Deployed) -> None:
    """Machine and output are there, and it runs; ``deployed`` added nothing but a module and a definition."""
    arns = deployed.runtime.outputs["customStateMachineArns"]
    assert list(arns) == ["greeting"]
    workflows_of(deployed).start("greeting", {"name": "you"}, "1")
    deployed.run()
    (execution,) = deployed.runtime.executions.list_executions(arns["greeting"])
    assert (execution.status, execution.output) == ("SUCCEEDED", {"text": "hello you"})


@pytest.mark.parametrize("kind", TYPES)
def test_wf_01_its_role_log_group_and_alarms(tmp_path: Path, kind: str) -> None:
    folder = project(tmp_path, files(kind))
    before = evaluated("dev", project_dir=folder)
    modules = ["handlers.domain.orders", "handlers.domain.airports", "handlers.domain.greeting"]
    after = evaluated("dev", {"handlerModules": json.dumps(modules)}, project_dir=folder)
    known = {(one.type, one.name) for one in before.registrations}
    new = {(one.type, one.name): one.props for one in after.registrations if (one.type, one.name) not in known}
    machine = new["aws:sfn/stateMachine:StateMachine", "greeting"]
    assert (machine["name"], machine["type"]) == ("cqrs-dev-greeting", kind)
    log_group = new["aws:cloudwatch/logGroup:LogGroup", "greeting-logs"]
    assert log_group["name"] == "/aws/vendedlogs/states/cqrs-dev-greeting-logs"
    statements = json.loads(new["aws:iam/rolePolicy:RolePolicy", "greeting-policy"]["policy"])["Statement"]
    function = "arn:aws:lambda:us-east-1:123456789012:function:cqrs-dev-states"
    assert statements[0] == {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": [function]}
    assert [one["Action"][0].partition(":")[0] for one in statements[1:]] == ["logs"]
    alarms = {name.removeprefix("greeting-") for type_, name in new if type_.endswith(":MetricAlarm")}
    assert alarms == {
        "ExecutionsFailed",
        "ExecutionsTimedOut",
        "ExecutionsAborted",
        "ExecutionThrottled",
        "ExecutionTime",
        "FailureRate",
    }
    slow = new["aws:cloudwatch/metricAlarm:MetricAlarm", "greeting-ExecutionTime"]
    assert slow["threshold"] == max(900, DEFINITION["TimeoutSeconds"]) * 1000
    assert after.outputs["customStateMachineArns"] == {
        "greeting": "arn:aws:states:us-east-1:123456789012:stateMachine:cqrs-dev-greeting"
    }


def test_wf_02_unknown_machines_and_states_are_named(deployed: Deployed) -> None:
    context: dict[str, Any] = {
        "Execution": {"Id": "e", "Name": "e", "StartTime": "s", "Input": {}},
        "State": {"EnteredTime": "2026-01-01T00:00:00.000Z", "Name": "nothing", "RetryCount": 0},
        "StateMachine": {"Id": "m", "Name": "cqrs-dev-unknown"},
    }

    def call() -> Any:
        payload = {"source": "step-function", "context": context, "input": {}}
        future = deployed.scheduler.spawn(deployed.runtime.host.invoke, "cqrs-dev-states", payload).future
        deployed.run()
        return future.result().error

    error = call()
    assert error.error_type == "ValidationError"
    assert "'cqrs-dev-unknown' is not allowed; expected one of cqrs-dev-command-handler, " in error.message
    assert error.message.endswith("cqrs-dev-greeting")
    context["StateMachine"]["Name"] = "cqrs-dev-greeting"
    assert "State.Name: 'nothing' is not allowed; expected one of hello of workflow 'greeting'" in call().message


def test_wf_03_one_execution_for_an_id(tmp_path: Path) -> None:
    with Deployed(tmp_path, extra=files("STANDARD")) as deployed:
        workflows = workflows_of(deployed)
        first = workflows.start("greeting", {"name": "you"}, "order 1")
        assert workflows.start("greeting", {"name": "you"}, "order 1") == first
        deployed.run()
        assert workflows.start("greeting", {"name": "you"}, "order 1") == first  # closed, and its name remembered
        deployed.run()
        machine = deployed.runtime.outputs["customStateMachineArns"]["greeting"]
        assert [one.arn for one in deployed.runtime.executions.list_executions(machine)] == [first]
        with pytest.raises(ValidationError, match="workflow: 'other' is not allowed; expected one of greeting"):
            workflows.start("other", {}, "1")
