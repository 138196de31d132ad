"""INF-07: the stack's outputs are a contract with other projects (docs/outputs.md)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from infra.outputs import SCHEMA_VERSION
from tests.support.evaluation import PROJECT_DIR, Evaluation

#: The contract. A name here may not be missing from a stack; the other way round, a new output is added here.
OUTPUTS = {
    "schemaVersion",
    "commandsTableName",
    "commandsTableArn",
    "commandsStreamArn",
    "dataTableName",
    "dataTableArn",
    "dataStreamArn",
    "historyTableName",
    "historyTableArn",
    "tasksTableName",
    "tasksTableArn",
    "tasksStreamArn",
    "import_tmpTableName",
    "import_tmpTableArn",
    "import_tmpStreamArn",
    "bucketName",
    "inlineAttributeLimit",
    "entityTypes",
    "mainTopicArn",
    "alarmTopicArn",
    "taskActionQueueUrl",
    "taskActionQueueArn",
    "notificationQueueUrl",
    "notificationQueueArn",
    "importActionQueueUrl",
    "importActionQueueArn",
    "deadLetterQueueUrls",
    "eventBusName",
    "eventBusArn",
    "commandStateMachineArn",
    "taskStateMachineArn",
    "importCsvStateMachineArn",
    "importZipStateMachineArn",
    "customStateMachineArns",
    "taskMaxConcurrency",
    "taskTimeoutMinutes",
    "apiFunctionArn",
    "applyFunctionArn",
    "eventsFunctionArn",
    "importsFunctionArn",
    "loaderFunctionArn",
    "outcomesFunctionArn",
    "sweeperFunctionArn",
    "tasksFunctionArn",
    "statesFunctionArn",
    "apiUrl",
    "apiExecutionArn",
    "publisherPolicyArn",
    "dashboardUrl",
}
#: By the end of the name; ``schemaVersion`` and the limits are numbers.
SHAPES = {
    "schemaVersion": re.compile(r"[1-9]\d*"),
    "Limit": re.compile(r"[1-9]\d*"),
    "MaxConcurrency": re.compile(r"[1-9]\d*"),
    "Minutes": re.compile(r"[1-9]\d*"),
    "StateMachineArn": re.compile(r"arn:aws:states:[a-z0-9-]+:\d{12}:stateMachine:\S+"),
    "StateMachineArns": re.compile(r"arn:aws:states:[a-z0-9-]+:\d{12}:stateMachine:\S+"),
    "ExecutionArn": re.compile(r"arn:aws:execute-api:[a-z0-9-]+:\d{12}:[a-z0-9]+"),
    "PolicyArn": re.compile(r"arn:aws:iam::\d{12}:policy/\S+"),
    "FunctionArn": re.compile(r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:\S+"),
    "StreamArn": re.compile(r"arn:aws:dynamodb:[a-z0-9-]+:\d{12}:table/\S+/stream/\S+"),
    "TableArn": re.compile(r"arn:aws:dynamodb:[a-z0-9-]+:\d{12}:table/[^/]+"),
    "TopicArn": re.compile(r"arn:aws:sns:[a-z0-9-]+:\d{12}:\S+"),
    "BusArn": re.compile(r"arn:aws:events:[a-z0-9-]+:\d{12}:event-bus/\S+"),
    "QueueArn": re.compile(r"arn:aws:sqs:[a-z0-9-]+:\d{12}:\S+"),
    "Url": re.compile(r"https://\S+"),
    "Urls": re.compile(r"https://\S+"),
    "Name": re.compile(r"[a-z0-9_.-]+"),
    "Types": re.compile(r"\[('[^']+'(, )?)*\]"),
}


def test_inf_07_outputs_are_the_contract(stack: Evaluation) -> None:
    missing, unknown = OUTPUTS - set(stack.outputs), set(stack.outputs) - OUTPUTS
    assert not missing, f"outputs that other projects rely on are gone: {', '.join(sorted(missing))}"
    assert not unknown, f"new outputs, not in the contract yet: {', '.join(sorted(unknown))}"


def test_inf_07_values_are_texts_or_maps_of_texts(stack: Evaluation) -> None:
    assert stack.outputs["schemaVersion"] == SCHEMA_VERSION
    for name, value in stack.outputs.items():
        shape = next(pattern for ending, pattern in SHAPES.items() if name.endswith(ending))
        for text in value.values() if isinstance(value, dict) else [value]:
            assert shape.fullmatch(str(text)), f"{name}: {text!r}"


def test_inf_07_maps_name_what_they_hold(dev: Evaluation) -> None:
    assert sorted(dev.outputs["deadLetterQueueUrls"]) == [
        "import-action-queue",
        "invocation-failures",
        "notification-queue",
        "stream-failures",
        "task-action-queue",
    ]


def test_inf_07_every_table_function_and_machine_has_its_output(stack: Evaluation) -> None:
    values = {value for value in stack.outputs.values() if isinstance(value, str)}
    named: dict[str, Any] = {
        **stack.of_type("aws:dynamodb/table:Table"),
        **stack.of_type("aws:lambda/function:Function"),
    }
    for name, props in named.items():
        assert any(value.endswith((f"/{props['name']}", f":{props['name']}")) for value in values), name


def test_inf_07_names_are_exported_in_one_place() -> None:
    exporting = [
        path.relative_to(PROJECT_DIR).as_posix()
        for path in [PROJECT_DIR / "__main__.py", *(PROJECT_DIR / "infra").rglob("*.py")]
        if "pulumi.export(" in path.read_text(encoding="utf-8")
    ]
    assert exporting == ["__main__.py"]
    main = (PROJECT_DIR / "__main__.py").read_text(encoding="utf-8")
    assert main.count("pulumi.export(") == 1
    assert "pulumi.export(name, value)" in main


def test_inf_07_a_missing_output_would_show(dev: Evaluation) -> None:
    less = Evaluation("dev", outputs={name: value for name, value in dev.outputs.items() if name != "bucketName"})
    with pytest.raises(AssertionError, match="bucketName"):
        test_inf_07_outputs_are_the_contract(less)
