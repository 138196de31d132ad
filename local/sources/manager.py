"""Runs all event sources of one deployment, and wakes them when calls write to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from local.functions.model import FunctionInvoker
from local.journal import Journal
from local.partitions import partition_of
from local.scheduler import Scheduler
from local.sources.async_calls import AsyncCaller, AsyncSettings, DeadLetter, name_of
from local.sources.eventbridge import EventBus, Rule
from local.sources.faults import DeliveryFaults
from local.sources.mappings import QueueMapping, StreamMapping
from local.sources.positions import Positions
from local.sources.queues import QueueReader, QueueSource
from local.sources.streams import StreamReader, StreamSource, table_of

#: Calls after which streams may have new records, and calls after which queues may have new messages.
TABLE_WRITES = frozenset(
    {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems", "ExecuteStatement"}
)
QUEUE_WRITES = {
    "events": frozenset({"PutEvents"}),
    "sqs": frozenset({"SendMessage", "SendMessageBatch", "ChangeMessageVisibility", "ChangeMessageVisibilityBatch"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
}


class Call(Protocol):
    """A call that reached the endpoint."""

    @property
    def service(self) -> str:
        """``dynamodb``, ``sqs`` and so on."""
        ...

    @property
    def operation(self) -> str:
        """The API's name of it, such as ``PutItem``."""
        ...

    @property
    def access(self) -> Sequence[tuple[str, str]]:
        """(IAM action, resource ARN) pairs, including tables."""
        ...


class EventSources:
    """Runs the mappings and rules of a deployment.

    Args:
        scheduler: clock and tasks.
        invoker: runs the functions.
        region, account_id: for events and ARNs.
        streams, queues: read the sources.
        discard: sends an on-failure message to the ARN of a queue or topic (``Destinations.send``).
        faults: duplicates and delays, for tests.
        journal: stores positions, asynchronous calls and schedules, and restores them.
        on_dead_letter: called with events whose asynchronous delivery failed permanently, in addition to their
            destination.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        invoker: FunctionInvoker,
        *,
        region: str,
        account_id: str,
        streams: StreamReader,
        queues: QueueReader,
        discard: Callable[[str, Mapping[str, Any]], None],
        faults: DeliveryFaults | None = None,
        journal: Journal | None = None,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
    ) -> None:
        self._scheduler = scheduler
        self._invoker = invoker
        self._region = region
        self._account_id = account_id
        self._stream_reader = streams
        self._queue_reader = queues
        self._discard = discard
        self._faults = faults
        self._on_dead_letter = on_dead_letter
        #: asynchronous calls of functions; its ``call`` also serves Lambda's Invoke with type Event
        self.caller = AsyncCaller(scheduler, invoker, self._dead_letter, journal)
        self.bus = EventBus(scheduler, self.caller, region=region, account_id=account_id, journal=journal)
        self._positions = None if journal is None else Positions(journal)
        self.streams: list[StreamSource] = []
        self.queues: list[QueueSource] = []

    def start(
        self,
        mappings: Sequence[StreamMapping | QueueMapping],
        rules: Sequence[Rule],
        settings: Mapping[str, AsyncSettings] | None = None,
    ) -> None:
        """Start everything, and read existing records and messages at once.

        Args:
            settings: function to its settings for asynchronous calls.

        Raises:
            RuleError, PatternError: a rule isn't supported.
        """
        self.change(mappings, rules, settings)
        self.caller.resume()

    def change(
        self,
        mappings: Sequence[StreamMapping | QueueMapping],
        rules: Sequence[Rule],
        settings: Mapping[str, AsyncSettings] | None = None,
    ) -> None:
        """Run exactly these from now on. Running sources with the same id continue at their position.

        Raises:
            RuleError, PatternError: a rule isn't supported.
        """
        self.bus.change(rules)
        self.caller.settings = settings or {}
        running = {source.mapping.id: source for source in self._sources()}
        streams, queues = [], []
        for mapping in mappings:
            source = running.pop(mapping.id, None)
            if isinstance(mapping, StreamMapping):
                stream = source if isinstance(source, StreamSource) else self._stream_source(mapping)
                stream.mapping = mapping
                streams.append(stream)
            else:
                queue = source if isinstance(source, QueueSource) else self._queue_source(mapping)
                queue.mapping = mapping
                queues.append(queue)
        self.streams, self.queues = streams, queues  # a new list: other threads iterate over the old ones
        for source in running.values():
            source.stop()
        for source in self._sources():
            source.wake()

    def on_call(self, call: Call) -> None:
        """Wake the sources that ``call`` may have written to. Thread-safe; a listener for ``AwsEndpoint.on_call``."""
        if call.service == "dynamodb" and call.operation in TABLE_WRITES:
            tables = {resource for _, resource in call.access}
            for stream in self.streams:
                if table_of(stream.mapping.stream_arn) in tables:
                    stream.wake()
        elif call.operation in QUEUE_WRITES.get(call.service, ()):
            for queue in self.queues:
                queue.wake()

    @property
    def idle(self) -> bool:
        """Whether nothing is being delivered from a source, a rule or an asynchronous call to its function."""
        return not self.caller.pending and all(source.idle for source in self._sources())

    def stop(self) -> None:
        """Stop all sources and schedules."""
        for source in self._sources():
            source.stop()
        self.bus.stop()

    def _dead_letter(self, letter: DeadLetter) -> None:
        destination = self.caller.settings.get(name_of(letter.function), AsyncSettings()).on_failure
        if destination is not None:
            self._discard(destination, letter.invocation_record(self._function_arn(letter.function)))
        if self._on_dead_letter is not None:
            self._on_dead_letter(letter)

    def _sources(self) -> list[StreamSource | QueueSource]:
        return [*self.streams, *self.queues]

    def _stream_source(self, mapping: StreamMapping) -> StreamSource:
        return StreamSource(
            self._scheduler,
            mapping,
            self._stream_reader,
            self._invoker,
            self._discard,
            function_arn=self._function_arn(mapping.function),
            faults=self._faults,
            positions=self._positions,
        )

    def _queue_source(self, mapping: QueueMapping) -> QueueSource:
        return QueueSource(
            self._scheduler, mapping, self._queue_reader, self._invoker, region=self._region, faults=self._faults
        )

    def _function_arn(self, function: str) -> str:
        if function.startswith("arn:"):
            return function
        return f"arn:{partition_of(self._region)}:lambda:{self._region}:{self._account_id}:function:{function}"
