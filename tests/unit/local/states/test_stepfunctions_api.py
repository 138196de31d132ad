"""The API as boto3 sees it, on the local endpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.aws.endpoint import AwsEndpoint
from local.aws.state_machines.stepfunctions import install
from local.states.errors import ApiError

from .conftest import ROLE, Failed, Runtime, callback, chain, distributed, task


@pytest.fixture
def client(runtime: Runtime) -> Iterator[Any]:
    with AwsEndpoint(runtime.scheduler) as endpoint:
        install(endpoint, runtime.manager)
        yield boto3.client("stepfunctions", region_name="us-east-1")


def create(client: Any, definition: dict[str, Any], **options: Any) -> str:
    options = {"name": "m", "roleArn": ROLE, **options}
    arn: str = client.create_state_machine(definition=json.dumps(definition), **options)["stateMachineArn"]
    return arn


def code_of(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**params)
    code: str = caught.value.response["Error"]["Code"]
    return code


def test_a_machines_life(client: Any) -> None:
    logging = {"level": "ERROR", "includeExecutionData": False, "destinations": []}
    definition = chain(("p", {"Type": "Pass"}))
    arn = create(client, definition, loggingConfiguration=logging, tags=[{"key": "a", "value": "1"}])
    described = client.describe_state_machine(stateMachineArn=arn)
    assert (described["name"], described["status"], described["type"]) == ("m", "ACTIVE", "STANDARD")
    assert json.loads(described["definition"]) == definition
    assert described["loggingConfiguration"] == logging
    assert described["creationDate"].timestamp() == 1_767_225_600
    assert [m["stateMachineArn"] for m in client.list_state_machines()["stateMachines"]] == [arn]
    client.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert client.list_tags_for_resource(resourceArn=arn)["tags"] == [{"key": "b", "value": "2"}]
    changed = chain(("q", {"Type": "Pass"}))
    client.update_state_machine(stateMachineArn=arn, definition=json.dumps(changed))
    assert json.loads(client.describe_state_machine(stateMachineArn=arn)["definition"]) == changed
    client.delete_state_machine(stateMachineArn=arn)
    assert code_of(client.describe_state_machine, stateMachineArn=arn) == "StateMachineDoesNotExist"


def test_an_executions_life(client: Any, runtime: Runtime) -> None:
    arn = create(client, chain(("p", {"Type": "Pass", "Result": {"ok": True}})))
    started = client.start_execution(stateMachineArn=arn, name="n", input='{"a": 1}')
    assert client.describe_execution(executionArn=started["executionArn"])["status"] == "RUNNING"
    runtime.scheduler.run_until_idle()
    described = client.describe_execution(executionArn=started["executionArn"])
    assert (described["status"], described["input"], described["output"]) == ("SUCCEEDED", '{"a": 1}', '{"ok":true}')
    assert described["stopDate"] == described["startDate"] == started["startDate"]
    listed = client.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
    assert [execution["name"] for execution in listed] == ["n"]
    assert client.list_executions(stateMachineArn=arn, statusFilter="FAILED")["executions"] == []
    machine = client.describe_state_machine_for_execution(executionArn=started["executionArn"])
    assert machine["stateMachineArn"] == arn


def test_history_in_pages_reversed_and_without_data(client: Any, runtime: Runtime) -> None:
    arn = create(client, chain(("p", {"Type": "Pass"}), ("q", {"Type": "Pass"})))
    execution = client.start_execution(stateMachineArn=arn, input='{"secret": 1}')["executionArn"]
    runtime.scheduler.run_until_idle()
    pages = list(
        client.get_paginator("get_execution_history").paginate(executionArn=execution, PaginationConfig={"PageSize": 4})
    )
    assert [len(page["events"]) for page in pages] == [4, 2]
    types = [event["type"] for page in pages for event in page["events"]]
    assert types[0] == "ExecutionStarted"
    assert types[-1] == "ExecutionSucceeded"
    last = client.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=1)["events"]
    assert [event["type"] for event in last] == ["ExecutionSucceeded"]
    bare = client.get_execution_history(executionArn=execution, includeExecutionData=False)
    assert "secret" not in json.dumps(bare["events"], default=str)


def test_failures_and_stops_have_error_and_cause(client: Any, runtime: Runtime) -> None:
    arn = create(
        client, chain(("w", {"Type": "Wait", "Seconds": 5}), ("f", {"Type": "Fail", "Error": "E", "Cause": "C"}))
    )
    failed, stopped = (client.start_execution(stateMachineArn=arn, name=n)["executionArn"] for n in ("f", "s"))
    client.stop_execution(executionArn=stopped, error="Operator", cause="enough")
    runtime.scheduler.run_until_idle()
    found = [client.describe_execution(executionArn=execution) for execution in (failed, stopped)]
    assert [(d["status"], d["error"], d["cause"]) for d in found] == [
        ("FAILED", "E", "C"),
        ("ABORTED", "Operator", "enough"),
    ]


def test_task_tokens_through_the_api(client: Any, runtime: Runtime) -> None:
    tokens: list[str] = []
    runtime.define(ask=lambda event: tokens.append(event["token"]))
    arn = create(client, chain(("a", callback(HeartbeatSeconds=60))))
    names = ("good", "bad")
    executions = [client.start_execution(stateMachineArn=arn, name=name)["executionArn"] for name in names]
    runtime.scheduler.run_for(50)
    for token in tokens:
        client.send_task_heartbeat(taskToken=token)
    runtime.scheduler.run_for(50)
    assert code_of(client.send_task_success, taskToken=tokens[0], output="{") == "InvalidOutput"
    client.send_task_success(taskToken=tokens[0], output='{"v": 1}')
    client.send_task_failure(taskToken=tokens[1], error="E", cause="C")
    runtime.scheduler.run_until_idle()
    found = sorted(
        (d["status"], d.get("output"), d.get("error"), d.get("cause"))
        for d in (client.describe_execution(executionArn=execution) for execution in executions)
    )
    assert found == [("FAILED", None, "E", "C"), ("SUCCEEDED", '{"v":1}', None, None)]
    assert code_of(client.send_task_success, taskToken=tokens[0], output="1") == "TaskTimedOut"
    assert code_of(client.send_task_success, taskToken="AQC" + "x" * 64, output="1") == "TaskDoesNotExist"
    assert code_of(client.send_task_heartbeat, taskToken="x") == "InvalidToken"


def test_loc_03_errors_have_the_apis_codes(client: Any, runtime: Runtime) -> None:
    arn = create(client, chain(("p", {"Type": "Pass"})))
    assert code_of(client.create_state_machine, name="n", definition="{}", roleArn=ROLE) == "InvalidDefinition"
    unknown = json.dumps({"StartAt": "a", "States": {"a": {"Type": "Loop"}}})
    with pytest.raises(client.exceptions.InvalidDefinition, match=r"\$\.States\.a\.Type: unknown state type 'Loop'"):
        client.create_state_machine(name="n", definition=unknown, roleArn=ROLE)
    client.start_execution(stateMachineArn=arn, name="n", input="{}")
    client.start_execution(stateMachineArn=arn, name="n", input="{}")
    with pytest.raises(client.exceptions.ExecutionAlreadyExists):
        client.start_execution(stateMachineArn=arn, name="n", input="[]")
    assert code_of(client.start_execution, stateMachineArn=arn, name="a b") == "InvalidName"
    assert code_of(client.start_execution, stateMachineArn=arn, input="{") == "InvalidExecutionInput"
    assert code_of(client.start_execution, stateMachineArn=arn + "x") == "StateMachineDoesNotExist"
    missing = arn.replace("stateMachine", "execution") + ":x"
    assert code_of(client.describe_execution, executionArn=missing) == "ExecutionDoesNotExist"
    assert code_of(client.describe_execution, executionArn=arn) == "InvalidArn"
    assert code_of(client.create_activity, name="a") == "UnknownOperationException"


def test_express_executions_have_no_description(client: Any, runtime: Runtime) -> None:
    arn = create(client, chain(("p", {"Type": "Pass"})), type="EXPRESS")
    execution = client.start_execution(stateMachineArn=arn, name="n")["executionArn"]
    assert code_of(client.describe_execution, executionArn=execution) == "InvalidArn"
    assert code_of(client.list_executions, stateMachineArn=arn) == "StateMachineTypeNotSupported"


def test_validation_names_the_problem(client: Any) -> None:
    good = json.dumps(chain(("p", {"Type": "Pass"})))
    assert client.validate_state_machine_definition(definition=good)["result"] == "OK"
    bad = client.validate_state_machine_definition(definition='{"StartAt": "a"}')
    assert (bad["result"], len(bad["diagnostics"])) == ("FAIL", 1)


def test_a_throttled_start_reaches_the_client(client: Any, runtime: Runtime) -> None:
    class Throttled(ApiError):
        code = "ThrottlingException"

    def gate(arn: str, name: str) -> None:
        if name == "no":
            raise Throttled("Rate exceeded")

    runtime.manager.before_start = gate
    arn = create(client, chain(("p", {"Type": "Pass"})))
    no_retries = Config(retries={"total_max_attempts": 1})
    hurried = boto3.client("stepfunctions", region_name="us-east-1", config=no_retries)
    assert code_of(hurried.start_execution, stateMachineArn=arn, name="no") == "ThrottlingException"


def test_a_function_may_resume_itself_through_the_api(client: Any, runtime: Runtime) -> None:
    def ask(event: Any) -> Any:
        client.send_task_success(taskToken=event["token"], output='{"Payload": [[1]]}')

    runtime.define(ask=ask, work=lambda event: event)
    arn = create(client, chain(("a", callback(OutputPath="$.Payload[0][0]")), ("b", task())))
    execution = client.start_execution(stateMachineArn=arn)["executionArn"]
    runtime.scheduler.run_until_idle()
    assert client.describe_execution(executionArn=execution)["output"] == "1"


def test_map_runs_and_their_children(client: Any, runtime: Runtime) -> None:
    def work(event: Any) -> Any:
        runtime.scheduler.sleep(10)
        if event == 2:
            raise Failed("Boom")
        return event

    runtime.define(work=work)
    state = distributed(kind="STANDARD", MaxConcurrency=2, ToleratedFailurePercentage=50)
    arn = create(client, chain(("m", state)))
    execution = client.start_execution(stateMachineArn=arn, name="e", input="[1,2,3]")["executionArn"]
    runtime.scheduler.run_for(15)
    (entry,) = client.list_map_runs(executionArn=execution)["mapRuns"]
    map_run = entry["mapRunArn"]
    assert map_run.startswith("arn:aws:states:us-east-1:123456789012:mapRun:m/rows:")
    assert (entry["stateMachineArn"], "stopDate" in entry) == (f"{arn}/rows", False)
    described = client.describe_map_run(mapRunArn=map_run)
    assert (described["status"], described["executionArn"]) == ("RUNNING", execution)
    assert (described["maxConcurrency"], described["toleratedFailurePercentage"]) == (2, 50.0)
    counts = described["executionCounts"]
    assert counts == {**dict.fromkeys(counts, 0), "running": 1, "succeeded": 1, "failed": 1, "total": 3} | {
        "failuresNotRedrivable": 1
    }
    assert described["itemCounts"] == counts
    children = client.list_executions(mapRunArn=map_run)["executions"]
    assert [child["status"] for child in children] == ["RUNNING", "FAILED", "SUCCEEDED"]
    (failed,) = client.list_executions(mapRunArn=map_run, statusFilter="FAILED")["executions"]
    assert (failed["mapRunArn"], failed["itemCount"]) == (map_run, 1)
    child = client.describe_execution(executionArn=failed["executionArn"])
    assert (child["mapRunArn"], child["input"], child["error"]) == (map_run, "2", "Boom")
    history = client.get_execution_history(executionArn=failed["executionArn"])["events"]
    assert history[-1]["type"] == "ExecutionFailed"
    client.stop_execution(executionArn=children[0]["executionArn"])
    runtime.scheduler.run_until_idle()
    described = client.describe_map_run(mapRunArn=map_run)
    assert (described["status"], described["itemCounts"]["aborted"]) == ("SUCCEEDED", 1)
    assert described["stopDate"] >= described["startDate"]
    events = client.get_execution_history(executionArn=execution)["events"]
    (started,) = [one for one in events if one["type"] == "MapRunStarted"]
    assert started["mapRunStartedEventDetails"] == {"mapRunArn": map_run}
    assert code_of(client.describe_map_run, mapRunArn=f"{map_run}x") == "ResourceNotFound"
    assert code_of(client.list_map_runs, executionArn=f"{execution}x") == "ExecutionDoesNotExist"
