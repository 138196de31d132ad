"""Keeps the latest outcome of each command that another stack has published.

Delivery is at least once and in no order: a row is written only over one of a lower attempt, so that a repeat and a
late event change nothing.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3


@cache
def table() -> Any:
    """Made by the first call, not by the import."""
    return boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """A batch of the queue. What failed comes again; after five times it is in the dead-letter queue."""
    failed = []
    for record in event["Records"]:
        try:
            keep(json.loads(record["body"])["detail"])
        except Exception as error:  # noqa: BLE001 - one bad event must not stop the others
            print(json.dumps({"level": "ERROR", "message": str(error), "messageId": record["messageId"]}))  # noqa: T201
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def keep(detail: dict[str, Any]) -> None:
    """Write one outcome. ``detail`` is the message as docs/other-projects.md has it."""
    content = detail["content"]
    try:
        table().update_item(
            Key={"id": detail["id"]},
            UpdateExpression="SET #s = :s, attempt = :a",
            ConditionExpression="attribute_not_exists(attempt) OR attempt < :a",
            ExpressionAttributeNames={"#s": "status"},
            ExpressionAttributeValues={":s": content["status"], ":a": content["attempt"]},
        )
    except table().meta.client.exceptions.ConditionalCheckFailedException:
        return  # a repeat, or an event of an earlier attempt
