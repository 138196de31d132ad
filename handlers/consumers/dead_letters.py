"""Dead-letter queues: records and messages with permanent errors go there at once, not only after all retries.

Lambda and SQS use the same queues after the last retry, so one alarm covers both.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from handlers.consumers.failure_policy import Consumer, Outcome, outcome_of
from handlers.core.aws.errors import CALL_ERRORS, reason_of
from handlers.core.log import log_step, without_text
from handlers.topics.port import MessageRefused

if TYPE_CHECKING:
    from mypy_boto3_sqs.client import SQSClient

#: Values of a record's ``eventSource``.
STREAM_SOURCE = "aws:dynamodb"
QUEUE_SOURCE = "aws:sqs"
PERMANENT_FAILURE = "PermanentFailure"


class DeadLetters(Protocol):
    """The dead-letter queues of one function."""

    def put(self, record: Mapping[str, Any], error: Exception) -> None:
        """Send a record of a stream or queue, with the error's type. Raises TransientError."""
        ...


class MemoryDeadLetters:
    """In memory. ``letters``: records and the types of their errors; ``refuses``: an error for ``put`` to raise."""

    def __init__(self) -> None:
        self.letters: list[tuple[Mapping[str, Any], str]] = []
        self.refuses: Exception | None = None

    def put(self, record: Mapping[str, Any], error: Exception) -> None:
        """See DeadLetters."""
        if self.refuses is not None:
            raise self.refuses
        self.letters.append((record, type(error).__name__))


class SqsDeadLetters:
    """On SQS."""

    def __init__(self, client: Callable[[], SQSClient], urls: Mapping[str, str]) -> None:
        """``urls``: ``eventSource`` to queue; ``client`` is called at the first put."""
        self._client = client
        self._urls = urls

    def put(self, record: Mapping[str, Any], error: Exception) -> None:
        """See DeadLetters."""
        source = record.get("eventSource", STREAM_SOURCE)
        body = record["body"] if source == QUEUE_SOURCE else json.dumps(pointer(record, error))
        attributes: Any = {"errorType": {"DataType": "String", "StringValue": type(error).__name__}}
        url = self._urls[source]
        try:
            self._client().send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
        except CALL_ERRORS as failed:
            raise reason_of(failed, url, MessageRefused) from failed


def pointer(record: Mapping[str, Any], error: Exception) -> dict[str, Any]:
    """What is stored of a stream record: its position and the keys of its row, never other values.

    The format is Lambda's (Lambda Developer Guide, "Retain discarded records for a DynamoDB event source in Lambda"),
    without the shard, which records don't contain.
    """
    change = record.get("dynamodb", {})
    number = change.get("SequenceNumber")
    return {
        "requestContext": {"condition": PERMANENT_FAILURE, "errorType": type(error).__name__},
        "version": "1.0",
        "keys": change.get("Keys"),
        "DDBStreamBatchInfo": {
            "startSequenceNumber": number,
            "endSequenceNumber": number,
            "batchSize": 1,
            "streamArn": record.get("eventSourceARN"),
        },
    }


def is_kept(record: Mapping[str, Any], error: Exception, consumer: Consumer, letters: DeadLetters) -> bool:
    """Dead-letter a record with a permanent error. False: it is to be redelivered, within its limits."""
    if outcome_of(error, consumer) is not Outcome.DEAD_LETTERED:
        return False
    try:
        letters.put(record, error)
    except Exception as second:  # noqa: BLE001 - boundary: one record; it is redelivered, and put then
        log_step("could not be put into the dead-letter queue", level=logging.ERROR, **without_text(second))
        return False
    return True
