"""LOC-05: definitions that moto's own engine accepts give the same output on both engines.

moto runs in real time, so the definitions here don't wait. Functions are answered in order by moto's simple Lambda
backend, from the same list as ours. moto's ``$$.Execution.Name`` is null, so it isn't compared.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.awslambda_simple.models import lambda_simple_backends

from local.aws.clients import spared_clients
from tests.support.moto_clients import remembered_grammars

from .conftest import FUNCTION, INVOKE, ROLE, Runtime, chain

DEFINITION = Path(__file__).parents[4] / "infra" / "state_machines" / "command.asl.json"
EXAMPLES = Path(__file__).parents[3] / "fixtures" / "asl"
ENDED = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")

#: Documented examples without functions and waits that moto runs otherwise than documented, with the reason.
MOTO_DIFFERS = {
    "choice_no_match": "moto reports States.Runtime; the specification names States.NoChoiceMatched",
    "choice_timestamp_offset": "moto compares the texts of timestamps",
    "distributed_map_csv": "moto keeps doubled quotes of an unquoted field, so that its text is no JSON",
    "distributed_map_csv_backslash": "moto keeps both of two backslashes",
    "distributed_map_csv_version": "the fixture's versions are not moto's",
    "distributed_map_no_tolerance": "moto tolerates every failure of a child",
    "distributed_map_result_writer": "the fixture's bucket is not there for moto",
    "distributed_map_tolerated_percentage_path": "moto tolerates every failure of a child",
    "intrinsic_format_escape": "moto ends the literal at an escaped quote",
    "result_path_cannot_apply": "moto reports States.Runtime; the specification names States.ResultPathMatchFailure",
}

#: Documented examples that moto's parser refuses, by the word that it stumbles over.
MOTO_REFUSES = {
    "distributed_map_batch_bytes": "ItemBatcher",
    "distributed_map_batch_bytes_path": "ItemBatcher",
    "distributed_map_batch_input": "ItemBatcher",
    "distributed_map_batches": "ItemBatcher",
    "distributed_map_csv_delimiter": "CSVDelimiter",
    "distributed_map_tolerated_count": "ToleratedFailurePercentage",
    "distributed_map_tolerated_percentage": "ToleratedFailurePercentage",
}

PROCESSOR = chain(
    ("double", {"Type": "Pass", "Parameters": {"v.$": "States.MathAdd($.n, $.n)"}}),
)
OWN: dict[str, tuple[dict[str, Any], Any]] = {
    "choice_loop": (
        {
            "StartAt": "check",
            "States": {
                "check": {
                    "Type": "Choice",
                    "Choices": [{"Variable": "$.n", "NumericGreaterThanEquals": 3, "Next": "done"}],
                    "Default": "add",
                },
                "add": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "check"},
                "done": {"Type": "Succeed"},
            },
        },
        {"n": 0},
    ),
    "map_with_result_path": (
        chain(("m", {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": PROCESSOR, "ResultPath": "$.out"})),
        {"items": [{"n": 1}, {"n": 2}], "keep": True},
    ),
    "map_failure_is_caught": (
        chain(
            (
                "m",
                {
                    "Type": "Map",
                    "ItemProcessor": chain(("f", {"Type": "Fail", "Error": "Bad", "Cause": "item"})),
                    "Catch": [{"ErrorEquals": ["Bad"], "ResultPath": "$", "Next": "caught"}],
                    "End": True,
                },
            ),
            ("caught", {"Type": "Pass", "OutputPath": "$.Error"}),
        ),
        [1],
    ),
    "parallel": (
        chain(
            (
                "p",
                {
                    "Type": "Parallel",
                    "Branches": [chain(("x", {"Type": "Pass", "Result": 1})), chain(("y", {"Type": "Pass"}))],
                    "ResultSelector": {"first.$": "$[0]", "second.$": "$[1]"},
                },
            )
        ),
        {"a": "b"},
    ),
    "paths": (
        chain(
            ("in", {"Type": "Pass", "InputPath": "$.a", "ResultPath": "$.copy"}),
            ("out", {"Type": "Pass", "OutputPath": "$.copy.list[1:]"}),
        ),
        {"a": {"list": [1, 2, 3]}},
    ),
    "context": (
        chain(("p", {"Type": "Pass", "Parameters": {"s.$": "$$.State.Name", "i.$": "$$.Execution.Input"}})),
        {"x": 1},
    ),
}


def documented() -> Iterator[Any]:
    for path in sorted(EXAMPLES.glob("*.json")):
        if path.stem.startswith("captured_"):
            continue  # what AWS itself answered needs no second opinion
        example = json.loads(path.read_text())
        text = json.dumps(example["definition"])
        if not any(word in text for word in ('"Task"', '"Wait"')):
            yield pytest.param(example["definition"], example["input"], example.get("objects", {}), id=path.stem)


CASES = [*documented(), *(pytest.param(*case, {}, id=name) for name, case in OWN.items())]


ENVELOPE = {
    "source": "step-function",
    "context": {
        "Execution": {"Id.$": "$$.Execution.Id", "Input.$": "$$.Execution.Input"},
        "State": {"Name.$": "$$.State.Name", "RetryCount.$": "$$.State.RetryCount"},
    },
    "input.$": "$",
}


def invoke(**fields: Any) -> dict[str, Any]:
    """A state as the command machine has them."""
    parameters = {"FunctionName": "work", "Payload": ENVELOPE}
    return {"Type": "Task", "Resource": INVOKE, "Parameters": parameters, "OutputPath": "$.Payload[0][0]", **fields}


def choose(*pairs: tuple[int, str]) -> dict[str, Any]:
    choices = [{"Variable": "$.result", "NumericEquals": number, "Next": target} for number, target in pairs]
    return {"Type": "Choice", "Choices": choices, "Default": "rejected"}


COMMAND = chain(
    ("check", invoke()),
    ("choice", choose((0, "transform"), (2, "success"))),
    ("transform", invoke()),
    ("sync", {"Type": "Map", "ItemProcessor": chain(("sync_one", invoke())), "MaxConcurrency": 1}),
    ("finish", invoke(Next="success")),
    ("rejected", {"Type": "Fail", "ErrorPath": "$.error", "CausePath": "$.cause"}),
    ("success", {"Type": "Succeed"}),
)
WITH_FUNCTIONS = [
    pytest.param([{"result": 0}, [{"target": "a"}, {"target": "b"}], {"ok": 1}, {"ok": 2}, {"done": True}], id="runs"),
    pytest.param([{"result": 2}], id="ends early"),
    pytest.param([{"result": -1, "error": "VersionGap", "cause": "no predecessor"}], id="fails"),
]


Outcome = tuple[str, Any, str | None, str | None]


def run_on_moto(
    definition: dict[str, Any], data: Any, answers: list[Any], objects: Mapping[str, list[str]] | None = None
) -> Outcome:
    """Status, output, error and cause."""
    config = {"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}
    with spared_clients(), remembered_grammars(), mock_aws(config=config):
        queue = lambda_simple_backends["123456789012"]["us-east-1"].lambda_simple_results_queue
        queue.extend(json.dumps(answer) for answer in answers)
        s3 = boto3.client("s3", region_name="us-east-1")
        for name, versions in (objects or {}).items():
            bucket, _, key = name.partition("/")
            s3.create_bucket(Bucket=bucket)
            s3.put_object(Bucket=bucket, Key=key, Body=versions[-1].encode())
        client = boto3.client("stepfunctions", region_name="us-east-1")
        arn = client.create_state_machine(name="m", definition=json.dumps(definition), roleArn=ROLE)["stateMachineArn"]
        before = {*threading.enumerate()}
        execution = client.start_execution(stateMachineArn=arn, input=json.dumps(data))["executionArn"]
        # moto's engine has no call that waits for the end, but threads of its own, which end with it
        while started := {*threading.enumerate()} - before:
            for thread in started:
                if thread.is_alive():  # one that is about to start is none yet
                    thread.join(timeout=10)
                    assert not thread.is_alive(), "moto's engine comes to no end"
        described = client.describe_execution(executionArn=execution)
        assert described["status"] in ENDED
        return (
            described["status"],
            _value(described["output"]) if "output" in described else None,
            described.get("error"),
            described.get("cause"),
        )


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text  # moto answers a string without its quotes


@pytest.mark.parametrize(("definition", "data", "objects"), CASES)
def test_loc_05_same_output_as_motos_engine(
    definition: dict[str, Any],
    data: Any,
    objects: Mapping[str, list[str]],
    request: pytest.FixtureRequest,
    runtime: Runtime,
) -> None:
    runtime.objects.load(objects)
    execution = runtime.run(definition, data)
    ours = (execution.status, execution.output, execution.error or None)
    word = MOTO_REFUSES.get(request.node.callspec.id)
    if word is not None:
        with pytest.raises(ClientError, match=word):
            run_on_moto(definition, data, [], objects)
        return
    theirs = run_on_moto(definition, data, [], objects)[:3]
    if request.node.callspec.id in MOTO_DIFFERS:
        assert theirs != ours, "moto agrees by now: take it off the list"
    else:
        assert theirs == ours


@pytest.mark.parametrize("answers", WITH_FUNCTIONS)
def test_loc_05_same_output_with_functions(answers: list[Any], runtime: Runtime) -> None:
    enveloped = [[[answer]] for answer in answers]
    ours = iter(enveloped)
    runtime.define(work=lambda event: next(ours))
    execution = runtime.run(COMMAND, {"pk": "p", "sk": "s"})
    found = (execution.status, execution.output, execution.error, execution.cause)
    assert run_on_moto(COMMAND, {"pk": "p", "sk": "s"}, enveloped) == found
    assert next(ours, None) is None


THE_COMMAND_MACHINE = [
    pytest.param([{"result": 0}, {}, {}, [{"target": "data"}], {"outcome": "applied"}, {"done": True}], id="applies"),
    pytest.param([{"result": 2}], id="has nothing to do"),
    pytest.param([{"result": -1, "error": "VersionGap"}, {"error": "VersionGap", "cause": "no row 2"}], id="refuses"),
]


@pytest.mark.parametrize("answers", THE_COMMAND_MACHINE)
def test_loc_05_the_command_machine_ends_alike_on_both_engines(answers: list[Any], runtime: Runtime) -> None:
    definition = json.loads(DEFINITION.read_text().replace("${StatesFunctionArn}", f"{FUNCTION}work"))
    enveloped = [[[answer]] for answer in answers]
    ours = iter(enveloped)
    runtime.define(work=lambda event: next(ours))
    execution = runtime.run(definition, {"pk": "p", "sk": "s"})
    found = (execution.status, execution.output, execution.error, execution.cause)
    assert run_on_moto(definition, {"pk": "p", "sk": "s"}, enveloped) == found
    assert next(ours, None) is None
