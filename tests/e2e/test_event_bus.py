"""Status events on the bus: what a consumer in another project gets through its own rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3

from local.aws.model import AwsRequest, AwsResponse
from local.aws.services import error_response
from tests.support.deployments import Deployed
from tests.support.pipelines import KEY, order


def their_queue(deployed: Deployed, pattern: dict[str, Any]) -> str:
    """Another project's rule on the bus, with its queue; the bus is found through the stack's outputs."""
    sqs, events = boto3.client("sqs"), boto3.client("events")
    url = str(sqs.create_queue(QueueName="theirs")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = deployed.runtime.outputs["eventBusName"]
    events.put_rule(Name="theirs", EventBusName=bus, EventPattern=json.dumps(pattern))
    events.put_targets(Rule="theirs", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url


def got(deployed: Deployed, queue: str) -> list[tuple[str, str]]:
    details = [json.loads(body)["detail"] for body in deployed.drain(queue)]
    return sorted((one["sk"], one["content"]["status"]) for one in details)


class OutOfStock(Exception):
    pass


def refuse(command: Any) -> None:
    if command.version == 2:
        raise OutOfStock("none left")


def test_ops_03_one_event_per_change_reaches_another_project(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        queue = their_queue(deployed, {"source": ["cqrs"], "detail-type": ["command-status"]})
        deployed.recorder.behaviours["two"] = refuse
        deployed.publish_versions(2)
        deployed.publish(order(0, code="o2"))
        deployed.run()
        assert got(deployed, queue) == [
            (KEY.version_sk(1), "finish:FINISHED"),
            (KEY.version_sk(2), "sync_data:FAILED"),
            ("ORDER#o2@0000000001", "finish:FINISHED"),
        ]
        assert deployed.runtime.outputs["eventBusArn"].endswith(f"event-bus/{deployed.runtime.outputs['eventBusName']}")


def test_ops_03_their_rule_selects_by_content(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        pattern = {"source": ["cqrs"], "detail": {"content": {"outcome": ["FAILED"]}}}
        queue = their_queue(deployed, pattern)
        deployed.recorder.behaviours["two"] = refuse
        deployed.publish_versions(2)
        deployed.run()
        assert got(deployed, queue) == [(KEY.version_sk(2), "sync_data:FAILED")]


def test_a_bus_that_is_down_for_a_while_loses_nothing(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        queue = their_queue(deployed, {"source": ["cqrs"]})
        calls: list[str] = []
        endpoint = deployed.runtime.endpoint

        def sometimes(request: AwsRequest) -> AwsResponse:
            calls.append(request.operation)
            if len(calls) <= 12:  # the client's own four tries, three times
                return error_response("events", "InternalFailure", "down", status=500)
            with endpoint.lock:
                return endpoint.call_moto(request)

        endpoint.replace("events", "PutEvents", sometimes)
        deployed.publish(order(0, price=3))
        deployed.run()
        assert len(calls) > 12
        assert deployed.applied_versions() == [1]
        assert got(deployed, queue) == [(KEY.version_sk(1), "finish:FINISHED")]


def test_a_poison_message_ends_in_the_dead_letter_queue(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        queue = their_queue(deployed, {"source": ["cqrs"]})
        url = deployed.runtime.outputs["notificationQueueUrl"]
        boto3.client("sqs").send_message(QueueUrl=url, MessageBody="poison")
        deployed.publish(order(0, price=3))
        deployed.run()
        assert got(deployed, queue) == [(KEY.version_sk(1), "finish:FINISHED")]
        assert deployed.drain(deployed.runtime.outputs["deadLetterQueueUrls"]["notification-queue"]) == ["poison"]
        assert deployed.drain(url) == []
