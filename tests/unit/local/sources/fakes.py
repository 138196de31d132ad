"""A stream, a queue and a function for tests of the sources, all in memory and on virtual time."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local.functions.model import FunctionError, InvokeResult
from local.scheduler import Scheduler

STREAM = "arn:aws:dynamodb:eu-west-1:123456789012:table/commands/stream/2026-01-01T00:00:00.000"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:work"
FAILURES = "arn:aws:sqs:eu-west-1:123456789012:failures"


class FakeStream:
    """One shard; ``put`` adds an INSERT record, and wakes whoever listens."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.records: list[dict[str, Any]] = []
        self.listeners: list[Callable[[], None]] = []
        self._scheduler = scheduler

    def put(self, key: str, version: int = 1, status: str = "publish:ACCEPTED") -> None:
        number = len(self.records) + 1
        self.records.append(
            {
                "eventID": str(number),
                "eventVersion": "1.0",
                "eventName": "INSERT",
                "eventSource": "aws:dynamodb",
                "awsRegion": "eu-west-1",
                "dynamodb": {
                    "ApproximateCreationDateTime": self._scheduler.now(),
                    "Keys": {"pk": {"S": key}, "sk": {"S": "row"}},
                    "NewImage": {"pk": {"S": key}, "version": {"N": str(version)}, "status": {"S": status}},
                    "SequenceNumber": f"{number:021d}",
                    "SizeBytes": 42,
                    "StreamViewType": "NEW_AND_OLD_IMAGES",
                },
            }
        )
        for listener in self.listeners:
            listener()

    def end(self, stream_arn: str) -> int:
        assert stream_arn == STREAM
        return len(self.records)

    def read(self, stream_arn: str, position: int, reader: str) -> tuple[list[Mapping[str, Any]], int]:
        assert stream_arn == STREAM
        return [copy.deepcopy(one) for one in self.records[position:]], len(self.records)


class FakeQueue:
    """A standard queue with visibility, receive counts and a redrive policy."""

    def __init__(self, scheduler: Scheduler, *, visibility: float = 60.0, max_receive_count: int = 3) -> None:
        self.messages: list[dict[str, Any]] = []
        self.dead: list[dict[str, Any]] = []
        self.listeners: list[Callable[[], None]] = []
        self._scheduler = scheduler
        self._visibility = visibility
        self._max = max_receive_count
        self._receipts = 0

    def send(self, body: str) -> None:
        self.messages.append(
            {
                "MessageId": f"m{len(self.messages) + len(self.dead) + 1}",
                "Body": body,
                "MD5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
                "Attributes": {
                    "ApproximateReceiveCount": "0",
                    "SentTimestamp": str(int(self._scheduler.now() * 1000)),
                    "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
                },
                "visible_at": 0.0,
            }
        )
        for listener in self.listeners:
            listener()

    def receive(self, queue_arn: str, limit: int) -> list[Mapping[str, Any]]:
        assert queue_arn == QUEUE
        now = self._scheduler.now()
        taken: list[Mapping[str, Any]] = []
        for message in list(self.messages):
            if len(taken) == limit or message["visible_at"] >= now:
                continue
            count = int(message["Attributes"]["ApproximateReceiveCount"]) + 1
            if count > self._max:
                self.messages.remove(message)
                self.dead.append(message)
                continue
            self._receipts += 1
            message["Attributes"]["ApproximateReceiveCount"] = str(count)
            message["Attributes"].setdefault("ApproximateFirstReceiveTimestamp", str(int(now * 1000)))
            message["visible_at"] = now + self._visibility
            message["ReceiptHandle"] = f"r{self._receipts}"
            taken.append(copy.deepcopy(message))
        return taken

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        assert queue_arn == QUEUE
        self.messages = [one for one in self.messages if one.get("ReceiptHandle") not in receipt_handles]

    def next_visible_at(self, queue_arn: str) -> float | None:
        assert queue_arn == QUEUE
        return min((one["visible_at"] for one in self.messages), default=None)


class FakeFunction:
    """Runs ``body(event)``; an exception becomes the function's error. Keeps every event it was called with."""

    def __init__(self, body: Callable[[dict[str, Any]], Any]) -> None:
        self.events: list[dict[str, Any]] = []
        self._body = body

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        self.events.append(payload)
        request_id = f"request-{len(self.events)}"
        try:
            return InvokeResult(self._body(payload), None, request_id)
        except ValueError as error:
            return InvokeResult(None, FunctionError(type(error).__name__, str(error)), request_id)


def shape(value: Any) -> Any:
    """The structure of a JSON value: keys and types, one element per list."""
    if isinstance(value, Mapping):
        return {name: shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    return type(value).__name__
