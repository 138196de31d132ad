"""Delivers an SQS queue's messages to a function.

Sources, all in the Lambda Developer Guide: "Using Lambda with Amazon SQS" (event, batches, messages that stay in the
queue after an error), "Configuring scaling behavior for SQS event source mappings" (maximum concurrency), "Handling
errors for an SQS event source in Lambda" (partial responses). Visibility, receive counts and the dead-letter queue are
handled by the queue itself.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from local.functions.model import FunctionInvoker, LambdaServiceError
from local.scheduler import Scheduler, Timer
from local.sources.answers import WholeBatchFailed, failed_identifiers
from local.sources.faults import DeliveryFaults
from local.sources.mappings import QueueMapping

log = logging.getLogger("cqrs.local.sources")

Message = Mapping[str, Any]
#: A message becomes visible after its time, not at it; a timer for the exact time would loop.
BEHIND_THE_EDGE_S = 0.001
_EVENT_ATTRIBUTES = (
    "ApproximateReceiveCount",
    "AWSTraceHeader",
    "SentTimestamp",
    "SenderId",
    "ApproximateFirstReceiveTimestamp",
)


class QueueReader(Protocol):
    """Reads a queue; messages have the shape of SQS ReceiveMessage."""

    def receive(self, queue_arn: str, limit: int) -> list[Message]:
        """Receive up to ``limit`` messages, which are then hidden for the queue's visibility timeout."""
        ...

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        """Delete processed messages."""
        ...

    def next_visible_at(self, queue_arn: str) -> float | None:
        """When the next hidden or delayed message becomes visible (epoch seconds); None if there is none."""
        ...


class QueueSource:
    """One event source mapping of a queue.

    ``wake`` (thread-safe) signals that messages were sent. While messages are hidden, there is one timer, for the time
    when the first of them becomes visible again; for an empty queue there is none.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        mapping: QueueMapping,
        reader: QueueReader,
        invoker: FunctionInvoker,
        *,
        region: str,
        faults: DeliveryFaults | None = None,
    ) -> None:
        self.mapping = mapping
        self._scheduler = scheduler
        self._reader = reader
        self._invoker = invoker
        self._region = region
        self._faults = faults or DeliveryFaults()
        self._running = 0
        self._timer: Timer | None = None
        self._wake_posted = False
        self._stopped = False

    def wake(self) -> None:
        """Poll for messages soon."""
        if self._wake_posted or self._stopped or not self.mapping.enabled:
            return
        self._wake_posted = True
        self._scheduler.post(self._poll)

    def stop(self) -> None:
        """Stop receiving; running batches are completed."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    @property
    def idle(self) -> bool:
        """Whether no batch is running and no message is hidden."""
        return not self._wake_posted and not self._running and self._timer is None

    def _poll(self) -> None:
        self._wake_posted = False
        while not self._stopped and self._running < self.mapping.maximum_concurrency:
            messages = self._reader.receive(self.mapping.queue_arn, self.mapping.batch_size)
            if not messages:
                break
            self._running += 1
            self._scheduler.spawn(self._run, messages, name=f"queue:{self.mapping.function}")
        self._arm()

    def _arm(self) -> None:
        """Set the timer for the next hidden message."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._stopped:
            return
        at = self._reader.next_visible_at(self.mapping.queue_arn)
        if at is not None:
            wait = max(at - self._scheduler.now(), 0.0) + BEHIND_THE_EDGE_S
            self._timer = self._scheduler.call_later(wait, self._timer_fired)

    def _timer_fired(self) -> None:
        self._timer = None
        self._poll()

    def _run(self, messages: list[Message]) -> None:
        try:
            if self.mapping.batching_window and len(messages) < self.mapping.batch_size:
                self._scheduler.sleep(self.mapping.batching_window)
                messages = self._fill(messages)
            delay = self._faults.delivery_delay()
            if delay:
                self._scheduler.sleep(delay)
            self._deliver(messages)
        finally:
            self._running -= 1
            self.wake()

    def _fill(self, messages: list[Message]) -> list[Message]:
        """Add messages that arrived during the batching window; a queue returns at most ten at a time."""
        gathered = list(messages)
        while len(gathered) < self.mapping.batch_size:
            more = self._reader.receive(self.mapping.queue_arn, self.mapping.batch_size - len(gathered))
            if not more:
                break
            gathered += more
        return gathered

    def _deliver(self, messages: list[Message]) -> None:
        records = [queue_record(one, self.mapping.queue_arn, self._region) for one in messages]
        wanted = [one for one in records if self.mapping.filters.accepts_message(one)]
        done = [one["receiptHandle"] for one in records if one not in wanted]
        if wanted:
            failed = self._call(wanted)
            done += [one["receiptHandle"] for one in wanted if one["messageId"] not in failed]
        if done:
            self._reader.delete(self.mapping.queue_arn, done)

    def _call(self, records: list[dict[str, Any]]) -> set[str]:
        """Call the function; returns the ids of the messages that stay in the queue."""
        every = {one["messageId"] for one in records}
        try:
            result = self._invoker.invoke(self.mapping.function, {"Records": records})
            failed = set(failed_identifiers(result, partial=self.mapping.partial_responses))
        except (WholeBatchFailed, LambdaServiceError) as failure:
            log.info("batch of %d for %s failed: %s", len(records), self.mapping.function, failure)
            return every
        if not failed <= every:
            log.info("answer of %s names a message that isn't in its batch", self.mapping.function)
            return every
        if self._faults.repeats():
            again = [one for one in records if one["messageId"] not in failed]
            self._scheduler.call_later(self._faults.repeat_delay(), lambda: self._repeat(again))
        return failed

    def _repeat(self, records: list[dict[str, Any]]) -> None:
        if records:
            self._scheduler.spawn(self._call_once, records, name=f"queue:{self.mapping.function}:duplicate")

    def _call_once(self, records: list[dict[str, Any]]) -> None:
        """Make a duplicate delivery; its result is ignored, since the messages are deleted already."""
        try:
            self._invoker.invoke(self.mapping.function, {"Records": records})
        except LambdaServiceError as error:
            log.info("duplicate call of %s refused: %s", self.mapping.function, error)


def queue_record(message: Message, queue_arn: str, region: str) -> dict[str, Any]:
    """One record of the event, from a message in the shape of ReceiveMessage.

    Shape: Lambda Developer Guide, "Using Lambda with Amazon SQS", example standard queue message event.
    """
    attributes = message.get("Attributes", {})
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {name: str(attributes[name]) for name in _EVENT_ATTRIBUTES if name in attributes},
        "messageAttributes": {
            name: _message_attribute(value) for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": region,
    }


def _message_attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        record["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        record["binaryValue"] = value["BinaryValue"]
    return record
