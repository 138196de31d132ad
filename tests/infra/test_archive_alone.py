"""INF-05: the functions run from their archive with only the SDK of the Lambda runtime beside it.

A process of its own, without site-packages: its path has the standard library, the unpacked archive, and a folder
with links to boto3, botocore and what they need. AWS is the local endpoint, over HTTP.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from handlers.commands.attributes import AttributeStore
from handlers.commands.model import CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.clock import SystemClock
from handlers.objects.memory import MemoryObjects
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, DATA
from handlers.store.values import item_to_dynamo
from infra.packaging import archive_members, build_archive
from local.aws.endpoint import AwsEndpoint
from local.aws.environment import ACCESS_KEY
from local.deploy.archives import Archives
from tests.support.evaluation import PROJECT_DIR, Evaluation
from tests.support.pipelines import CONTEXT
from tests.support.projects import shared_project

#: What the Lambda runtime for Python has (Lambda Developer Guide, "Runtime-included SDK versions").
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
#: What AWS's layer of Powertools has beside, for the one function that names it (``infra/naming/layers.py``).
LAYER = (
    *("aws_lambda_powertools", "pydantic", "pydantic_core", "annotated_types", "typing_extensions"),
    "typing_inspection",
)
#: Cold start is part of the product: nothing of these may be loaded, boto3 included.
FORBIDDEN = {"boto3", "infra", "local", "moto", "policy", "pulumi", "pulumi_aws", "pydantic", "requests", "s3transfer"}
ALONE = """
import json, sys, time
given = json.load(sys.stdin)
sys.path.extend(given["path"])
begin = time.perf_counter()
module, _, name = given["handler"].rpartition(".")
handler = getattr(__import__(module, fromlist=[name]), name)
imported = time.perf_counter()
class Context:
    aws_request_id = "r1"
    @staticmethod
    def get_remaining_time_in_millis():
        return 30_000
answer = handler(given["event"], Context())
done = time.perf_counter()
print(json.dumps({
    "answer": answer,
    "modules": sorted({one.partition(".")[0] for one in sys.modules}),
    "file": sys.modules[module].__file__,
    "import_ms": round(1000 * (imported - begin)),
    "first_call_ms": round(1000 * (done - imported)),
}), file=sys.__stdout__)
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The archive, unpacked in an empty folder, and the SDK."""
    work = tmp_path_factory.mktemp("alone")
    archive = Archives(work).unpack(build_archive(archive_members(shared_project())), "test")
    return [str(archive.folder), linked(work / "sdk", SDK)]


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> str:
    return linked(tmp_path_factory.mktemp("layer") / "python", LAYER)


def linked(folder: Path, names: tuple[str, ...]) -> str:
    """A folder with links to packages."""
    folder.mkdir()
    for name in names:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        (folder / origin.name).symlink_to(origin)
    return str(folder)


class Aws:
    """The local endpoint with the tables, topics and machines that the functions' environment names."""

    def __init__(self, dev: Evaluation, url: str) -> None:
        self.url = url
        for props in dev.of_type("aws:dynamodb/table:Table").values():
            self._table(props)
        for props in dev.of_type("aws:sns/topic:Topic").values():
            boto3.client("sns").create_topic(Name=props["name"])
        for props in dev.of_type("aws:sfn/stateMachine:StateMachine").values():
            boto3.client("stepfunctions").create_state_machine(
                name=props["name"], definition=props["definition"], roleArn=props["roleArn"]
            )
        tables = {COMMANDS: "cqrs-dev-commands", DATA: "cqrs-dev-data"}
        store = DynamoTableStore(boto3.client("dynamodb"), tables)
        attributes = AttributeStore(MemoryObjects(), dev.outputs["inlineAttributeLimit"])
        command = CommandPublisher(store, attributes, SystemClock()).publish_async(
            CommandInput("ORDER", "o1", "first", {"lines": []}), CONTEXT
        )
        assert command is not None
        row = store.get(COMMANDS, command.pk, command.sk)
        assert row is not None
        self.row = row

    @staticmethod
    def _table(props: Any) -> None:
        indexes = [
            {
                "IndexName": index["name"],
                "KeySchema": [
                    {"AttributeName": key["attributeName"], "KeyType": key["keyType"]} for key in index["keySchemas"]
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index in props.get("globalSecondaryIndexes", [])
        ]
        client: Any = boto3.client("dynamodb")
        client.create_table(
            TableName=props["name"],
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": one["name"], "AttributeType": one["type"]} for one in props["attributes"]
            ],
            KeySchema=[
                {"AttributeName": props["hashKey"], "KeyType": "HASH"},
                {"AttributeName": props["rangeKey"], "KeyType": "RANGE"},
            ],
            **({"GlobalSecondaryIndexes": indexes} if indexes else {}),
        )


@pytest.fixture(scope="module")
def aws(dev: Evaluation) -> Iterator[Aws]:
    endpoint = AwsEndpoint()
    with endpoint:
        server = endpoint.serve_http(0)
        try:
            yield Aws(dev, server.url)
        finally:
            server.stop()


def inserted(aws: Aws) -> dict[str, Any]:
    image = item_to_dynamo(aws.row)
    record = {"Keys": {"pk": image["pk"], "sk": image["sk"]}, "NewImage": image, "SequenceNumber": "1"}
    return {"Records": [{"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": record}]}


def inserted_and_gone(aws: Aws) -> dict[str, Any]:
    """A record of a command that is not there any more."""
    event = inserted(aws)
    event["Records"][0]["dynamodb"]["NewImage"]["sk"] = {"S": "ORDER#gone@0000000001"}
    return event


def finished(aws: Aws) -> dict[str, Any]:
    before = item_to_dynamo({**aws.row, "status": "finish:STARTED"})
    after = item_to_dynamo({**aws.row, "status": "finish:FINISHED"})
    change = {"OldImage": before, "NewImage": after, "SequenceNumber": "1"}
    return {"Records": [{"eventName": "MODIFY", "eventSource": "aws:dynamodb", "dynamodb": change}]}


def check_version(aws: Aws) -> dict[str, Any]:
    execution_input = {name: aws.row[name] for name in ("pk", "sk", "id", "attempt")}
    return {
        "source": "step-function",
        "context": {
            "Execution": {"Id": "arn:e", "Name": "e", "StartTime": "s", "Input": execution_input},
            "State": {"EnteredTime": "2026-01-01T00:00:00.000Z", "Name": "check_version", "RetryCount": 0},
            "StateMachine": {"Id": "arn:m", "Name": "cqrs-dev-command-handler"},
        },
        "input": execution_input,
    }


def iterator(aws: Aws) -> dict[str, Any]:
    """A turn of an item that is not there."""
    execution_input = {"pk": "SFN_TASK#t1", "sk": f"job#{'0' * 26}", "attempt": 1}
    return {
        "source": "step-function",
        "context": {
            "Execution": {"Id": "arn:e", "Name": "e", "StartTime": "s", "Input": execution_input},
            "State": {"EnteredTime": "2026-01-01T00:00:00.000Z", "Name": "iterator", "RetryCount": 0},
            "StateMachine": {"Id": "arn:m", "Name": "m"},
        },
        "input": {"index": 0},
    }


def nobodys_orders(aws: Aws) -> dict[str, Any]:
    """A request as the HTTP API hands it on (payload format 2.0)."""
    path = "/entities/ORDER"
    http = {"method": "GET", "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "u"}
    claims = {"sub": "u1", "tenant": "nobody", "roles": "reader"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {},
        "requestContext": {"stage": "$default", "http": http, "authorizer": {"jwt": {"claims": claims}}},
        "isBase64Encoded": False,
    }


def a_row_that_is_gone(aws: Aws) -> dict[str, Any]:
    """A message for a row of an import that is not there."""
    message = {
        "action": "import-execute",
        "pk": f"IMPORT#t1#{'0' * 26}#0",
        "sk": "000000000",
        "content": {"attempt": 1},
    }
    body = json.dumps({"Message": json.dumps(message)})
    record = {"messageId": "m", "eventSource": "aws:sqs", "body": body, "attributes": {"ApproximateReceiveCount": "1"}}
    return {"Records": [record]}


def a_job_that_is_gone(aws: Aws) -> dict[str, Any]:
    """A record of an import job that is not there."""
    job = {"pk": "CSV_IMPORT#t1", "sk": f"airports#{'0' * 26}", "kind": "job", "status": "CREATED", "attempt": 1}
    image = item_to_dynamo({**job, "id": f"{job['pk']}#{job['sk']}"})
    change = {"NewImage": image, "SequenceNumber": "1"}
    return {"Records": [{"eventName": "INSERT", "eventSource": "aws:dynamodb", "dynamodb": change}]}


#: Function to an event that makes it call AWS, and its answer.
PLAIN = {
    "headers": {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Content-Type": "application/json",
    },
    "cookies": [],
    "isBase64Encoded": False,
}
CALLS: dict[str, Any] = {
    "api": (nobodys_orders, {"statusCode": 200, "body": '{"items":[],"cursor":null}', **PLAIN}),
    "apply": (inserted_and_gone, {"batchItemFailures": []}),
    "events": (inserted, {"batchItemFailures": []}),
    "imports": (a_row_that_is_gone, {"batchItemFailures": []}),
    "loader": (a_job_that_is_gone, {"batchItemFailures": []}),
    "outcomes": (finished, {"batchItemFailures": []}),
    "sweeper": (lambda _: {}, {"complete": True, "oldestSeconds": 0, "outcomes": {}, "tasks": {}, "imports": {}}),
    "tasks": (iterator, [[{"result": "dropped"}]]),
    "states": (check_version, [[{"result": 0}]]),
}


def run(handler: str, event: Any, path: list[str], environment: dict[str, str], cwd: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", ALONE],
        input=json.dumps({"handler": handler, "event": event, "path": path}),
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


#: Inside Lambda a function builds itself at import; elsewhere at the first call, for which one of them stands.
HOW = [*((function, True) for function in sorted(CALLS)), ("events", False)]


@pytest.mark.parametrize(("function", "inside_lambda"), HOW)
def test_inf_05_runs_alone(
    function: str, inside_lambda: bool, dev: Evaluation, aws: Aws, path: list[str], layer: str, tmp_path: Path
) -> None:
    event, expected = CALLS[function]
    props = dev.get("aws:lambda/function:Function", function)
    environment = {
        **props["environment"]["variables"],
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": aws.url,
        "PATH": os.environ["PATH"],
        **({"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"} if inside_lambda else {}),
    }
    layers = [layer] if "layers" in props else []
    result = run(props["handler"], event(aws), [*path, *layers], environment, tmp_path)
    assert result["answer"] == expected
    assert (FORBIDDEN - ({"pydantic"} if layers else set())) & set(result["modules"]) == set()
    assert result["file"].startswith(path[0])
    print(f"{function}: import {result['import_ms']} ms, first call {result['first_call_ms']} ms")


def test_inf_05_every_function_is_called(dev: Evaluation) -> None:
    functions = set(dev.of_type("aws:lambda/function:Function"))
    assert set(CALLS) == functions, "give each function an event here that makes it call AWS"
    entry_points = {path.stem for path in (PROJECT_DIR / "handlers" / "entrypoints").glob("*.py")} - {"__init__"}
    assert entry_points == functions, "each entry point is a function, and the other way round"


@pytest.mark.parametrize("module", ["boto3", "pulumi"])
def test_inf_05_a_heavy_import_would_show(module: str, path: list[str], tmp_path: Path) -> None:
    """Where nothing but the SDK is, boto3 can be loaded and is told; pulumi is not even there."""
    (tmp_path / "heavy.py").write_text(f"import {module}\ndef handler(event, context): return 1\n")
    environment = {"PATH": os.environ["PATH"]}
    if module == "boto3":
        result = run("heavy.handler", {}, [*path, str(tmp_path)], environment, tmp_path)
        assert FORBIDDEN & set(result["modules"]) == {"boto3", "s3transfer"}
    else:
        with pytest.raises(AssertionError, match="No module named 'pulumi'"):
            run("heavy.handler", {}, [*path, str(tmp_path)], environment, tmp_path)
