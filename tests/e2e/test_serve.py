"""LOC-02: ``./cqrs serve`` answers any SDK, and the AWS CLI where there is one, on 127.0.0.1 only."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from handlers.commands.attributes import AttributeStore
from handlers.commands.model import CommandInput
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.objects.memory import MemoryObjects
from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import COMMANDS, DATA
from local.testing.copies import alone, checkout
from tests.support.checkout import PATIENCE_SECONDS, Cli

REGION = "us-east-1"
CONTEXT = InvokeContext(user_id="u1", tenant_code="t1")


@dataclass(frozen=True)
class Served:
    url: str
    text: str

    def client(self, service: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A running ``./cqrs serve`` through which one command has gone."""
    with Cli(checkout(tmp_path_factory.mktemp("serve") / "cqrs", alone), "serve", "--port", "0") as cli:
        url = cli.wait_for_match(r"serving on (http://127\.0\.0\.1:\d+) ")[1]
        cli.wait_for("get-execution-history")
        served = Served(url, cli.output)
        tables = {COMMANDS: "cqrs-dev-commands", DATA: "cqrs-dev-data"}
        store = DynamoTableStore(served.client("dynamodb"), tables)
        publisher = CommandPublisher(store, AttributeStore(MemoryObjects()), SystemClock())  # they are small
        publisher.publish_async(CommandInput("ORDER", "o1", "First", {"lines": []}), CONTEXT)
        arn = machine(served)
        wait_until(lambda: statuses(served, arn) == ["SUCCEEDED"])
        yield served


def machine(served: Served) -> str:
    machines = served.client("stepfunctions").list_state_machines()["stateMachines"]
    return next(str(one["stateMachineArn"]) for one in machines if one["name"] == "cqrs-dev-command-handler")


def statuses(served: Served, arn: str) -> list[str]:
    listed = served.client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    return [one["status"] for one in listed]


def wait_until(reached: Any) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "too slow"


def test_loc_02_any_sdk(served: Served) -> None:
    dynamodb, states = served.client("dynamodb"), served.client("stepfunctions")
    assert {"cqrs-dev-commands", "cqrs-dev-data", "cqrs-dev-history"} <= set(dynamodb.list_tables()["TableNames"])
    (command,) = dynamodb.scan(TableName="cqrs-dev-commands")["Items"]
    assert command["sk"]["S"] == "ORDER#o1@0000000001"
    assert command["status"]["S"] == "finish:FINISHED"
    (listed,) = states.list_executions(stateMachineArn=machine(served))["executions"]
    described = states.describe_execution(executionArn=listed["executionArn"])
    assert described["status"] == "SUCCEEDED"
    assert json.loads(described["input"])["sk"] == "ORDER#o1@0000000001"
    events = states.get_execution_history(executionArn=listed["executionArn"])["events"]
    assert events[0]["type"] == "ExecutionStarted"
    assert events[-1]["type"] == "ExecutionSucceeded"
    entered = [one["stateEnteredEventDetails"]["name"] for one in events if "stateEnteredEventDetails" in one]
    assert entered[0] == "check_version"
    assert entered[-1] == "success"


def test_loc_02_it_says_how_to_look(served: Served) -> None:
    assert f"export AWS_ENDPOINT_URL={served.url} AWS_DEFAULT_REGION={REGION}" in served.text
    assert "aws dynamodb scan --table-name cqrs-dev-commands" in served.text
    assert f"aws stepfunctions list-executions --state-machine-arn {machine(served)}" in served.text


def test_loc_02_nobody_else_can_reach_it(served: Served) -> None:
    port = int(served.url.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    with pytest.raises(ConnectionRefusedError):  # an address of this machine too
        socket.create_connection(("127.0.0.2", port), timeout=5)


@pytest.mark.needs_cli
def test_loc_02_aws_cli(served: Served, tmp_path: Path) -> None:
    """The commands that it prints, as they are."""
    if shutil.which("aws") is None:
        pytest.skip("the AWS CLI is not installed")
    env = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    env |= {"HOME": str(tmp_path), "AWS_PAGER": ""}
    lines = [line.strip() for line in served.text.splitlines()]
    exports = "\n".join(line for line in lines if line.startswith("export "))

    def run(line: str) -> Any:
        script = f"set -eu\n{exports}\n{line} --output json"
        done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    commands = [line for line in lines if line.startswith("aws ")]
    tables, scan, executions = (run(line) for line in commands[:3])
    assert "cqrs-dev-commands" in tables["TableNames"]
    assert scan["Items"][0]["status"]["S"] == "finish:FINISHED"
    arn = executions["executions"][0]["executionArn"]
    described, history = (run(line.replace("<one of them>", arn)) for line in commands[3:])
    assert described["status"] == "SUCCEEDED"
    assert history["events"][-1]["type"] == "ExecutionSucceeded"
