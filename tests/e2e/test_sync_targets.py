"""Sync targets in other projects on the local runtime: a queue, a FIFO queue, a topic, a bus and a function."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest

from handlers.store.port import COMMANDS
from local.deploy import DeployError
from local.functions.model import FunctionSpec
from tests.support.deployments import Deployed
from tests.support.pipelines import order

ACCOUNT = "123456789012"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:consumer"
TARGETS = [
    {"id": "their-queue", "types": ["ORDER"], "kind": "sqs", "arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:standard"},
    {"id": "their-fifo", "types": ["ORDER"], "kind": "sqs", "arn": f"arn:aws:sqs:us-east-1:{ACCOUNT}:ordered.fifo"},
    {"id": "their-topic", "types": ["ORDER"], "kind": "sns", "arn": f"arn:aws:sns:us-east-1:{ACCOUNT}:theirs"},
    {
        "id": "their-bus",
        "types": ["ORDER", "INVOICE"],
        "kind": "eventbridge",
        "arn": f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/theirs",
    },
    {"id": "their-function", "types": ["ORDER"], "kind": "lambda", "arn": FUNCTION},
]
CONSUMER = """
from tests.support import recorder


class Seen:
    def __init__(self, event):
        self.code, self.version, self.event = event["content"]["code"], event["content"]["version"], event


def handler(event, context):
    recorder.handle("their-function", Seen(event))
    return {"large": "x" * 1000}
"""


class Consumers:
    """The other project: made beside the deployment, as another project's stack would."""

    def __init__(self, deployed: Deployed, folder: Path) -> None:
        self._deployed = deployed
        sqs, sns, events = boto3.client("sqs"), boto3.client("sns"), boto3.client("events")
        self.urls = {name: str(sqs.create_queue(QueueName=name)["QueueUrl"]) for name in ("standard", "topic", "bus")}
        fifo = sqs.create_queue(QueueName="ordered.fifo", Attributes={"FifoQueue": "true"})
        self.urls["ordered.fifo"] = str(fifo["QueueUrl"])
        topic = sns.create_topic(Name="theirs")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:{ACCOUNT}:topic")
        events.create_event_bus(Name="theirs")
        pattern = {"source": ["cqrs"], "detail-type": ["command-sync"], "detail": {"content": {"type": ["ORDER"]}}}
        events.put_rule(Name="orders", EventBusName="theirs", EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:us-east-1:{ACCOUNT}:bus"
        events.put_targets(Rule="orders", EventBusName="theirs", Targets=[{"Id": "queue", "Arn": arn}])
        (folder / "consumer.py").write_text(CONSUMER)
        deployed.runtime.host.register(FunctionSpec("consumer", FUNCTION, "consumer.handler", folder, {}, 20))

    def bodies(self, name: str) -> list[Any]:
        return [json.loads(body) for body in self._deployed.drain(self.urls[name])]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "consumer"
    folder.mkdir()
    return folder


def deployed_with(tmp_path: Path, targets: Sequence[dict[str, Any]] = TARGETS, **given: Any) -> Deployed:
    return Deployed(tmp_path, config={"syncTargets": json.dumps(targets)}, **given)


def versions(messages: Sequence[dict[str, Any]]) -> list[int]:
    return [one["content"]["version"] for one in messages]


@pytest.mark.parametrize("seed", [1, 2])
def test_ten_versions_reach_every_kind_of_target_in_order(tmp_path: Path, folder: Path, seed: int) -> None:
    with deployed_with(tmp_path, seed=seed) as deployed:
        consumers = Consumers(deployed, folder)
        deployed.publish_versions(10)
        deployed.run()
        expected = list(range(1, 11))
        assert deployed.applied_versions() == expected
        got: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "standard": lambda: consumers.bodies("standard"),
            "ordered.fifo": lambda: consumers.bodies("ordered.fifo"),
            "topic": lambda: [json.loads(body["Message"]) for body in consumers.bodies("topic")],
            "bus": lambda: [body["detail"] for body in consumers.bodies("bus")],
        }
        for name, read in got.items():
            messages = read()
            assert versions(messages) == expected, name
            assert [one["content"]["attributes"] for one in messages] == [{"n": n} for n in expected], name
            assert {one["table"] for one in messages} == {deployed.tables[COMMANDS]}, name
        assert deployed.recorder.versions("their-function") == expected
        assert deployed.recorder.versions("one") == expected
        assert sorted(deployed.row(10)["targets"]) == sorted(
            ["data", "one", "two", "three", *(str(one["id"]) for one in TARGETS)]
        )
        assert deployed.alarms() == []


def test_a_fifo_queue_gets_group_and_deduplication_ids(tmp_path: Path, folder: Path) -> None:
    with deployed_with(tmp_path) as deployed:
        consumers = Consumers(deployed, folder)
        deployed.publish(order(0, price=3))
        deployed.run()
        received = boto3.client("sqs").receive_message(
            QueueUrl=consumers.urls["ordered.fifo"],
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        (message,) = received["Messages"]
        assert message["Attributes"]["MessageGroupId"] == "TENANT#t1#ORDER#o1"
        assert message["Attributes"]["MessageDeduplicationId"] == "TENANT#t1#ORDER#o1@1"
        sent = {name: one["StringValue"] for name, one in message["MessageAttributes"].items()}
        assert sent == {"action": "command-sync", "type": "ORDER"}


class OutOfStock(Exception):
    pass


def test_an_error_of_their_function_fails_the_command_by_its_name(tmp_path: Path, folder: Path) -> None:
    with deployed_with(tmp_path) as deployed:
        Consumers(deployed, folder)

        def refuse(_: Any) -> None:
            raise OutOfStock("none left")

        deployed.recorder.behaviours["their-function"] = refuse
        deployed.publish(order(0, price=3))
        deployed.run()
        error = deployed.row(1)["error"]
        assert error == {
            "type": "OutOfStock",
            "message": "none left",
            "state": "sync_data",
            "target": "their-function",
        }
        assert deployed.recorder.versions("their-function") == [1]
        assert len(deployed.alarms()) == 1


class TransientBusy(Exception):
    pass


def test_a_transient_error_of_their_function_is_retried(tmp_path: Path, folder: Path) -> None:
    with deployed_with(tmp_path) as deployed:
        Consumers(deployed, folder)
        tries: list[int] = []

        def sometimes(_: Any) -> None:
            tries.append(1)
            if len(tries) < 3:
                raise TransientBusy("later")

        deployed.recorder.behaviours["their-function"] = sometimes
        deployed.publish(order(0, price=3))
        deployed.run()
        assert len(tries) == 3
        assert deployed.row(1)["status"] == "finish:FINISHED"
        assert deployed.recorder.versions("one") == [1]
        assert deployed.alarms() == []


def test_a_queue_that_does_not_exist_fails_the_command_and_not_the_other_targets(tmp_path: Path) -> None:
    with deployed_with(tmp_path, TARGETS[:1]) as deployed:
        deployed.publish(order(0, price=3))
        deployed.run()
        assert deployed.row(1)["error"]["type"] == "TargetRefused"
        assert deployed.applied_versions() == [1]
        assert deployed.recorder.versions("one") == [1]


def test_the_role_allows_exactly_the_configured_resources(tmp_path: Path, folder: Path) -> None:
    with deployed_with(tmp_path) as deployed:
        Consumers(deployed, folder)
        deployed.publish(order(0, price=3))
        deployed.run()
        (workflow,) = [name for name in deployed.runtime.deployment.functions if name.endswith("-states")]
        allowed = {
            (action, statement["Resource"])
            for document in deployed.runtime.deployment.role_policies[workflow]
            for statement in document["Statement"]
            for action in statement["Action"]
        }
        configured = {
            (action, str(target["arn"]))
            for action, target in zip(
                ["sqs:SendMessage", "sqs:SendMessage", "sns:Publish", "events:PutEvents", "lambda:InvokeFunction"],
                TARGETS,
                strict=True,
            )
        }
        assert configured <= allowed
        others = ("sqs:SendMessage", "events:PutEvents", "lambda:InvokeFunction")
        assert {pair for pair in allowed if pair[0] in others} == {pair for pair in configured if pair[0] in others}
        called = deployed.runtime.endpoint.calls_by_function()[workflow]
        made = {(action, arn) for action, arns in called.items() for arn in arns}
        assert configured <= made


def test_an_id_of_this_projects_handlers_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    deployed = deployed_with(tmp_path, [{**TARGETS[0], "id": "one"}])
    with pytest.raises(DeployError, match=r"cqrs:syncTargets: id 'one' is not allowed") as caught, deployed:
        pass
    assert "\n" not in str(caught.value)
    assert deployed.runtime.endpoint.calls == {}
