"""Delivers a DynamoDB stream's records to a function, with Lambda's retries, splitting and discarding.

Sources, all in the Lambda Developer Guide: "Using Lambda with DynamoDB" (batches, order, concurrent batches per shard),
"Retain discarded records for a DynamoDB event source in Lambda" (error handling; a split doesn't count as a retry; a
call that Lambda refuses is retried until the records are too old), and "Configuring partial batch response with
DynamoDB and Lambda" (checkpoint; "bisected at the returned sequence number").

Two points are undocumented, and decided here so that no errors are hidden: a partial failure counts as one retry and,
if it names the first record, the whole batch is retried (it isn't halved), so that a function that stops at the first
bad record loses the records after it here as well.
"""

from __future__ import annotations

import logging
import zlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

from local.functions.model import FunctionInvoker, InvokeResult, LambdaServiceError
from local.scheduler import Scheduler
from local.sources.answers import WholeBatchFailed, failed_identifiers
from local.sources.destinations import AGE_EXCEEDED, RETRIES_EXHAUSTED, DiscardedBatch, invocation_record
from local.sources.faults import DeliveryFaults
from local.sources.mappings import INFINITE, STREAM_RETENTION_S, StreamMapping

log = logging.getLogger("cqrs.local.sources")

Record = Mapping[str, Any]
#: Waits between attempts; AWS documents that there is a back-off, but not its times.
FIRST_BACKOFF_S = 1.0
MAX_BACKOFF_S = 60.0


class StreamReader(Protocol):
    """Reads the one ordered shard of a table's stream."""

    def end(self, stream_arn: str) -> int:
        """The position after the newest record."""
        ...

    def read(self, stream_arn: str, position: int, reader: str) -> tuple[Sequence[Record], int]:
        """The records from ``position`` on, oldest first, and the position after them.

        ``reader`` no longer needs the records before ``position``.
        """
        ...


class KeptPositions(Protocol):
    """Stores the positions of mappings in their streams."""

    def of(self, mapping: StreamMapping) -> int | None:
        """The stored position; None for a new mapping."""
        ...

    def passed(self, mapping: StreamMapping, position: int) -> None:
        """Store that everything before ``position`` was processed."""
        ...


@dataclass
class _Batch:
    records: list[Record]
    failures: int = 0
    calls: int = 0
    last: InvokeResult | None = None


@dataclass
class _Lane:
    """An ordered part of the shard; all records of an item (partition and sort key) are in the same one."""

    waiting: deque[Record] = field(default_factory=deque)
    busy: bool = False


class StreamSource:
    """One event source mapping of a stream.

    ``wake`` (thread-safe) signals that records were written. Everything else happens in scheduler tasks. An idle source
    has no timer and no task.

    Args:
        scheduler: clock and tasks.
        mapping: the declared mapping.
        reader: reads the stream.
        invoker: runs the function.
        discard: called with the destination's ARN and the on-failure message (``invocation_record``).
        function_arn: for the on-failure message.
        faults: duplicates and delays, for tests.
        positions: stores the mapping's position across processes; None: it isn't stored.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        mapping: StreamMapping,
        reader: StreamReader,
        invoker: FunctionInvoker,
        discard: Callable[[str, Mapping[str, Any]], None],
        *,
        function_arn: str,
        faults: DeliveryFaults | None = None,
        positions: KeptPositions | None = None,
    ) -> None:
        self.mapping = mapping
        self._scheduler = scheduler
        self._reader = reader
        self._invoker = invoker
        self._discard = discard
        self._function_arn = function_arn
        self._faults = faults or DeliveryFaults()
        self._lanes = [_Lane() for _ in range(mapping.parallelization_factor)]
        self._positions = positions
        kept = None if positions is None else positions.of(mapping)
        if kept is not None:
            self._position = kept
        else:
            self._position = 0 if mapping.from_start else reader.end(mapping.stream_arn)
        #: sequence number to position of the records that haven't been processed yet, in stream order
        self._open: dict[str, int] = {}
        self._wake_posted = False
        self._stopped = False

    def wake(self) -> None:
        """Poll for new records soon."""
        if self._wake_posted or self._stopped or not self.mapping.enabled:
            return
        self._wake_posted = True
        self._scheduler.post(self._poll)

    def stop(self) -> None:
        """Stop reading; a running batch is completed."""
        self._stopped = True

    @property
    def idle(self) -> bool:
        """Whether every record that was read has been processed."""
        return not self._wake_posted and not any(lane.busy for lane in self._lanes)

    def _poll(self) -> None:
        self._wake_posted = False
        if self._stopped:
            return
        records, self._position = self._reader.read(self.mapping.stream_arn, self._position, self.mapping.id)
        first = self._position - len(records)
        for number, record in enumerate(records, first):
            event = {**record, "eventSourceARN": self.mapping.stream_arn}
            if self.mapping.filters.accepts_stream_record(event):
                self._lanes[self._lane_of(event)].waiting.append(event)
                if self._positions is not None:
                    self._open[event["dynamodb"]["SequenceNumber"]] = number
        self._keep_position()
        for number, lane in enumerate(self._lanes):
            if lane.waiting and not lane.busy:
                lane.busy = True
                self._scheduler.spawn(self._run_lane, lane, name=f"stream:{self.mapping.function}:{number}")

    def _lane_of(self, record: Record) -> int:
        keys = record["dynamodb"]["Keys"]
        text = repr(sorted((name, sorted(value.items())) for name, value in keys.items()))
        return zlib.crc32(text.encode()) % len(self._lanes)

    def _run_lane(self, lane: _Lane) -> None:
        try:
            while lane.waiting and not self._stopped:
                if self.mapping.batching_window and len(lane.waiting) < self.mapping.batch_size:
                    self._scheduler.sleep(self.mapping.batching_window)
                take = min(self.mapping.batch_size, len(lane.waiting))
                records = [lane.waiting.popleft() for _ in range(take)]
                delay = self._faults.delivery_delay()
                if delay:
                    self._scheduler.sleep(delay)
                self._finish(records)
                if self._positions is not None and not self._stopped:
                    for record in records:
                        del self._open[record["dynamodb"]["SequenceNumber"]]
                    self._keep_position()
        finally:
            lane.busy = False

    def _keep_position(self) -> None:
        """Store the position of the first unprocessed record."""
        if self._positions is not None:
            self._positions.passed(self.mapping, next(iter(self._open.values()), self._position))

    def _finish(self, records: list[Record]) -> None:
        """Deliver a batch until every record is processed or discarded, in order."""
        pending = deque([_Batch(records)])
        while pending and not self._stopped:
            batch = pending.popleft()
            self._drop_too_old(batch)
            if batch.records:
                pending.extendleft(reversed(self._try(batch)))

    def _try(self, batch: _Batch) -> list[_Batch]:
        """Call the function once. Returns the remaining batches, in order."""
        result = self._invoke(batch)
        if result is None:
            return [batch]
        batch.calls += 1
        batch.last = result
        try:
            named = failed_identifiers(result, partial=self.mapping.partial_responses)
        except WholeBatchFailed as failure:
            log.info("batch of %d for %s failed: %s", len(batch.records), self.mapping.function, failure)
            if self.mapping.bisect and len(batch.records) > 1:
                middle = len(batch.records) // 2
                halves = (batch.records[:middle], batch.records[middle:])
                self._scheduler.sleep(FIRST_BACKOFF_S)
                return [_Batch(half, batch.failures, batch.calls, result) for half in halves]
            return self._failed_again(batch)
        if not named:
            self._maybe_repeat(batch.records)
            return []
        batch.records = batch.records[_checkpoint(batch.records, named) :]
        return self._failed_again(batch)

    def _failed_again(self, batch: _Batch) -> list[_Batch]:
        batch.failures += 1
        limit = self.mapping.maximum_retry_attempts
        if limit != INFINITE and batch.failures > limit:
            self._discard_batch(batch, batch.records, RETRIES_EXHAUSTED)
            return []
        self._back_off(batch.failures)
        return [batch]

    def _invoke(self, batch: _Batch) -> InvokeResult | None:
        """The result; None if Lambda refused the call, which doesn't count as a retry."""
        try:
            return self._invoker.invoke(self.mapping.function, {"Records": [dict(one) for one in batch.records]})
        except LambdaServiceError as error:
            log.info("call of %s refused: %s", self.mapping.function, error)
            self._back_off(1)
            return None

    def _back_off(self, failures: int) -> None:
        self._scheduler.sleep(min(FIRST_BACKOFF_S * 2 ** min(failures - 1, 10), MAX_BACKOFF_S))

    def _drop_too_old(self, batch: _Batch) -> None:
        limit = self.mapping.maximum_record_age
        age = STREAM_RETENTION_S if limit == INFINITE else min(limit, STREAM_RETENTION_S)
        oldest = self._scheduler.now() - age
        expired = [one for one in batch.records if one["dynamodb"]["ApproximateCreationDateTime"] < oldest]
        if expired:
            batch.records = batch.records[len(expired) :]
            self._discard_batch(batch, expired, AGE_EXCEEDED)

    def _discard_batch(self, batch: _Batch, records: Sequence[Record], condition: str) -> None:
        log.warning("%d stream records for %s discarded: %s", len(records), self.mapping.function, condition)
        if self.mapping.on_failure_arn is None:
            return
        discarded = DiscardedBatch(records, condition, batch.calls, batch.last, self._scheduler.now())
        self._discard(
            self.mapping.on_failure_arn, invocation_record(discarded, self._function_arn, self.mapping.stream_arn)
        )

    def _maybe_repeat(self, records: list[Record]) -> None:
        if not self._faults.repeats():
            return
        delay = self._faults.repeat_delay()

        def again() -> None:
            self._scheduler.spawn(self._invoke, _Batch(records), name=f"stream:{self.mapping.function}:duplicate")

        self._scheduler.call_later(delay, again)


@cache
def table_of(stream_arn: str) -> str:
    """The ARN of a stream's table (``<table>/stream/<label>``)."""
    return stream_arn.partition("/stream/")[0]


def _checkpoint(records: Sequence[Record], named: Sequence[str]) -> int:
    """Index of the first record to retry: that of the lowest named sequence number, or 0 if none is in the batch."""
    positions = [index for index, one in enumerate(records) if one["dynamodb"]["SequenceNumber"] in named]
    return min(positions, default=0)
