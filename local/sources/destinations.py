"""On-failure destinations of streams, and Lambda's messages about discarded batches."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local.functions.model import InvokeResult

RETRIES_EXHAUSTED = "RetryAttemptsExhausted"
#: Not in the guide's example; the name in AWS's records according to recordings of public emulators.
AGE_EXCEEDED = "RecordAgeExceeded"
#: moto has one shard per stream, with this id (see ``DescribeStream``).
SHARD_ID = "shardId-00000001541626099285-f35f62ef"


@dataclass(frozen=True)
class DiscardedBatch:
    """Records that won't be retried; ``last`` is the function's last result, None if it was never called."""

    records: Sequence[Mapping[str, Any]]
    condition: str
    invoke_count: int
    last: InvokeResult | None
    at: float


def invocation_record(batch: DiscardedBatch, function_arn: str, stream_arn: str) -> dict[str, Any]:
    """The message for an SQS or SNS destination: pointers into the stream, not the records.

    Shape: Lambda Developer Guide, "Retain discarded records for a DynamoDB event source in Lambda", example
    invocation record. ``responseContext`` is absent when the function was never called.
    """
    first, last = batch.records[0]["dynamodb"], batch.records[-1]["dynamodb"]
    message: dict[str, Any] = {
        "requestContext": {
            "requestId": batch.last.request_id if batch.last else _request_id(stream_arn, first["SequenceNumber"]),
            "functionArn": function_arn,
            "condition": batch.condition,
            "approximateInvokeCount": batch.invoke_count,
        }
    }
    if batch.last is not None:
        message["responseContext"] = {"statusCode": 200, "executedVersion": batch.last.executed_version}
        if batch.last.error is not None:
            message["responseContext"]["functionError"] = "Unhandled"
    message["version"] = "1.0"
    message["timestamp"] = _text(batch.at, "milliseconds")
    message["DDBStreamBatchInfo"] = {
        "shardId": SHARD_ID,
        "startSequenceNumber": first["SequenceNumber"],
        "endSequenceNumber": last["SequenceNumber"],
        "approximateArrivalOfFirstRecord": _text(first["ApproximateCreationDateTime"], "seconds"),
        "approximateArrivalOfLastRecord": _text(last["ApproximateCreationDateTime"], "seconds"),
        "batchSize": len(batch.records),
        "streamArn": stream_arn,
    }
    return message


class Destinations:
    """Sends messages to SQS queues and SNS topics by ARN."""

    def __init__(self, sqs: Any, sns: Any) -> None:
        self._sqs = sqs
        self._sns = sns

    def send(self, arn: str, message: Mapping[str, Any]) -> None:
        """Send ``message`` as JSON to the queue or topic ``arn``."""
        text = json.dumps(message)
        service = arn.split(":")[2]
        if service == "sqs":
            url = self._sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
            self._sqs.send_message(QueueUrl=url, MessageBody=text)
        elif service == "sns":
            self._sns.publish(TopicArn=arn, Message=text)
        else:
            raise ValueError(f"destination {arn!r} is not supported; allowed: an SQS queue, an SNS topic")


def _request_id(stream_arn: str, sequence_number: str) -> str:
    """An id that is the same in repeated runs."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{stream_arn}/{sequence_number}"))


def _text(epoch: float, precision: str) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec=precision).replace("+00:00", "Z")
