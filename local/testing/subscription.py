"""The messages that a topic has published, for tests."""

from __future__ import annotations

import json
from typing import Any

from local.aws.clients import client


class Subscription:
    """A queue that gets the messages of a topic. ``name``: the queue's."""

    def __init__(self, topic_arn: str, name: str, region: str) -> None:
        self._sqs = client("sqs", region)
        self._url = str(self._sqs.create_queue(QueueName=name)["QueueUrl"])
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]
        client("sns", region).subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def messages(self) -> list[dict[str, Any]]:
        """The messages since the last call."""
        found = list[dict[str, Any]]()
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(json.loads(message["Body"])["Message"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return found
