"""Stores the latest outcome of each command that another stack has published.

Delivery is at least once and unordered: a row is only overwritten by a higher attempt, so duplicates and late events
change nothing.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import boto3


@cache
def table() -> Any:
    """Created by the first call, not at import time."""
    return boto3.resource("dynamodb").Table(os.environ["TABLE"])


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Handle a batch of messages. Failed ones are redelivered; after five receives they go to the dead-letter queue."""
    failed = []
    for record in event["Records"]:
        try:
            keep(json.loads(record["body"])["detail"])
        except Exception as error:  # noqa: BLE001 - one bad event must not stop the others
            print(json.dumps({"level": "ERROR", "message": str(error), "messageId": record["messageId"]}))  # noqa: T201
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def keep(detail: dict[str, Any]) -> None:
    """Write one outcome. ``detail``: the message described in docs/other-projects.md."""
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
        return  # a duplicate, or an event of an earlier attempt
