"""moto's queues without what takes time with the number of their messages, and with bounds for what they keep."""

from __future__ import annotations

import itertools
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from moto.core.utils import unix_time, unix_time_millis
from moto.sqs.exceptions import ReceiptHandleIsInvalid, SQSException
from moto.sqs.models import Queue, SQSBackend

from local.aws.address import served_at
from local.journal import active

REMEMBERED_HANDLES = 10_000


class LocalQueue(Queue):  # type: ignore[misc]  # moto has no types that mypy can follow
    """moto's queue. It counts all its messages for every message sent; here that is left out."""

    #: moto keeps the last one like any attribute, and neither shows it nor minds it.
    BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]  # as moto has it
    redrive_allow_policy: str | None = None
    #: messages that were sent with a delay, until it is over
    delayed: list[Any]

    def url(self, request_url: Any) -> str:
        """Where clients reach the queue: some SDKs send requests to this address. moto's is the request's."""
        return f"{served_at() or f'https://sqs.{self.region}.amazonaws.com'}/{self.account_id}/{self.name}"

    @property
    def attributes(self) -> dict[str, Any]:
        """moto's attributes, worked out when they are read."""
        return _Attributes(self)

    @property
    def messages(self) -> VisibleMessages:
        """The visible ones."""
        return VisibleMessages(self._messages)

    def add_message(self, message: Any) -> None:
        """moto's. A message with a delay is remembered for ``next_visible_at``."""
        super().add_message(message)
        keep_message(self.name, message)
        if message.delayed_until > unix_time_millis():
            self.delayed.append(message)

    def next_visible_at(self) -> float | None:
        """Epoch milliseconds of the moment until which the first hidden or delayed message is hidden.

        Those are among the delayed and the received ones; all messages of the queue may be far more. A message of a
        FIFO queue may be hidden by an old receipt without being counted as received.
        """
        moment = unix_time_millis()
        self.delayed = [one for one in self.delayed if one.delayed_until >= moment] if self._messages else []
        candidates = self._messages if self.fifo_queue else itertools.chain(self.delayed, self.pending_messages)
        times = (max(one.visible_at, one.delayed_until) for one in candidates)
        return min((at for at in times if at >= moment), default=None)

    def delete_message(self, receipt_handle: str) -> None:
        """moto goes through the whole queue twice, and copies it. Messages that were received stand in front.

        Raises:
            ReceiptHandleIsInvalid: no message here was received with this handle.
        """
        if receipt_handle in self.deleted_messages:
            return
        received = (n for n, message in enumerate(self._messages) if message.had_receipt_handle(receipt_handle))
        position = next(received, None)
        if position is None:
            raise ReceiptHandleIsInvalid
        message = self._messages.pop(position)
        self.pending_messages.discard(message)
        forget_message(self.name, message)
        self.deleted_messages.update(message.all_receipt_handles)

    def _set_attributes(self, attributes: dict[str, Any], now: float | None = None) -> None:
        """Attributes that aren't given stay (SQS API reference, SetQueueAttributes); moto drops the policy."""
        super()._set_attributes({"Policy": self.policy, **attributes}, now)
        if attributes.get("RedrivePolicy"):
            self.check_letters()

    def check_letters(self) -> None:
        """Hold the dead-letter queue's ``RedriveAllowPolicy`` against this queue (SQS API reference,
        SetQueueAttributes). The service's own words for the refusal are not documented.

        Raises:
            SQSException: it takes the letters of other queues only.
        """
        letters = self.dead_letter_queue
        allowed = json.loads(getattr(letters, "redrive_allow_policy", None) or "{}")
        permission = allowed.get("redrivePermission", "allowAll")
        named = self.queue_arn in allowed.get("sourceQueueArns", ())
        if permission == "denyAll" or (permission == "byQueue" and not named):
            self._setup_dlq({})
            raise SQSException(
                "InvalidParameterValue", f"the redriveAllowPolicy of {letters.name} does not allow {self.name}"
            )

    def all_attributes(self) -> dict[str, Any]:
        """moto's attributes, with the counts."""
        found: dict[str, Any] = super().attributes
        return found


#: What is kept of a message, in addition to its attributes.
KEPT = (
    "id",
    "body",
    "sender_id",
    "sent_timestamp",
    "deduplication_id",
    "group_id",
    "sequence_number",
    "delayed_until",
    "approximate_receive_count",
    "approximate_first_receive_timestamp",
)
_QUEUE_OF = "local_kept_in"


def kind_of_messages(queue_name: str) -> str:
    """The kind of a queue's rows in the journal."""
    return f"message {queue_name}"


def keep_message(queue_name: str, message: Any) -> None:
    """Keep it as it is now, in this queue and no other."""
    kept = active()
    if kept is None:
        return
    before = getattr(message, _QUEUE_OF, queue_name)
    if before != queue_name:
        kept.delete(kind_of_messages(before), message.id)
    setattr(message, _QUEUE_OF, queue_name)
    fields = {name: getattr(message, name) for name in KEPT}
    attributes = {name: _plain(value) for name, value in message.message_attributes.items()}
    kept.put(
        kind_of_messages(queue_name),
        message.id,
        {**fields, "message_attributes": attributes, "system_attributes": message.system_attributes},
    )


def forget_message(queue_name: str, message: Any) -> None:
    """It was dealt with."""
    kept = active()
    if kept is not None:
        kept.delete(kind_of_messages(queue_name), message.id)


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    return {name: {"base64": b64encode(one).decode()} if isinstance(one, bytes) else one for name, one in value.items()}


class VisibleMessages:
    """The visible messages of a list. The time is taken once; a queue is looked through as far as somebody reads."""

    def __init__(self, messages: Sequence[Any]) -> None:
        self._messages = messages
        self._moment = unix_time_millis()

    def __iter__(self) -> Iterator[Any]:
        moment = self._moment
        return (one for one in self._messages if moment > one.visible_at and moment >= one.delayed_until)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return next(iter(self), None) is not None


class RecentHandles:
    """Receipt handles of deleted messages, to delete twice without an error. moto keeps them for ever."""

    def __init__(self) -> None:
        self._handles: dict[str, None] = {}

    def __contains__(self, handle: object) -> bool:
        return handle in self._handles

    def update(self, handles: Iterable[str | None]) -> None:
        """Add some; the oldest beyond ``REMEMBERED_HANDLES`` are forgotten."""
        self._handles.update(dict.fromkeys(one for one in handles if one))
        while len(self._handles) > REMEMBERED_HANDLES:
            del self._handles[next(iter(self._handles))]


class _Attributes(dict[str, Any]):
    """A queue's attributes; the counts are made only when all of them are asked for."""

    def __init__(self, queue: LocalQueue) -> None:
        super().__init__()
        self._queue = queue

    def get(self, key: str, default: Any = None) -> Any:
        if key == "ContentBasedDeduplication":
            return str(self._queue.content_based_deduplication).lower() if self._queue.fifo_queue else default
        return self._queue.all_attributes().get(key, default)

    def __getitem__(self, key: str) -> Any:
        return self._queue.all_attributes()[key]

    def __contains__(self, key: object) -> bool:
        return key in self._queue.all_attributes()

    def __iter__(self) -> Any:
        return iter(self._queue.all_attributes())

    def items(self) -> Any:
        return self._queue.all_attributes().items()

    def keys(self) -> Any:
        return self._queue.all_attributes().keys()


class LocalSqs(SQSBackend):  # type: ignore[misc]
    """The queues of one region."""

    def create_queue(self, name: str, tags: dict[str, str] | None = None, **kwargs: Any) -> Queue:
        """moto's, with our class of queue."""
        is_new = name not in self.queues
        queue = super().create_queue(name, tags, **kwargs)
        if not isinstance(queue, LocalQueue):
            queue.deleted_messages = RecentHandles()
            queue.delayed = []
        queue.__class__ = LocalQueue  # moto names its class itself and has no other place to choose it
        if is_new:
            try:
                queue.check_letters()
            except SQSException:
                del self.queues[name]
                raise
        return queue

    def receive_message(self, queue_name: str, *args: Any, **kwargs: Any) -> list[Any]:
        """moto's; how often a message was received is kept with it."""
        found: list[Any] = super().receive_message(queue_name, *args, **kwargs)
        if found and active() is not None:
            received = {one.id for one in found}  # copies, with the attributes that were asked for
            for message in self.get_queue(queue_name).pending_messages:
                if message.id in received:
                    keep_message(queue_name, message)
        return found

    def purge_queue(self, queue_name: str) -> None:
        """moto's."""
        super().purge_queue(queue_name)
        kept = active()
        if kept is not None:
            kept.delete_below(kind_of_messages(queue_name), "")

    def is_message_valid_based_on_retention_period(self, queue_name: str, message: Any) -> bool:
        """moto counts the whole queue for this, for each message."""
        return bool(self.queues[queue_name].message_retention_period + message.sent_timestamp / 1000 > unix_time())
