"""moto's queues, without operations whose time grows with the number of messages, and with bounded memory."""

from __future__ import annotations

import itertools
import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from typing import Any

from moto.core.utils import unix_time, unix_time_millis
from moto.moto_api._internal import mock_random
from moto.sqs.exceptions import ReceiptHandleIsInvalid, SQSException
from moto.sqs.models import Message, Queue, SQSBackend

from local.aws.address import served_at
from local.journal import active

REMEMBERED_HANDLES = 10_000
#: As many as moto's.
RECEIPT_CHARACTERS = 185
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


class LocalMessage(Message):  # type: ignore[misc]  # moto has no types that mypy can follow
    """moto's message, with cheaper receipt handles and copies, which were two thirds of a receive."""

    approximate_first_receive_timestamp: int | None
    receipt_handle: str | None

    def mark_received(self, visibility_timeout: int | None = None) -> None:
        """As in moto, with a handle of the same kind."""
        moment = unix_time_millis()
        self.approximate_first_receive_timestamp = self.approximate_first_receive_timestamp or int(moment)
        self.approximate_receive_count += 1
        if visibility_timeout:
            self.visible_at = moment + int(visibility_timeout) * 1000
        self._old_receipt_handles.append(self.receipt_handle)
        drawn = f"{mock_random.getrandbits(4 * RECEIPT_CHARACTERS):0{RECEIPT_CHARACTERS}x}"
        self.receipt_handle = drawn.translate(_LETTERS)

    def __deepcopy__(self, _: object) -> LocalMessage:
        """moto only replaces the copy's attributes, by the wanted ones."""
        return copy(self)


class LocalQueue(Queue):  # type: ignore[misc]  # moto has no types that mypy can follow
    """moto's queue, without counting all its messages for every message sent."""

    #: moto stores the last one like any attribute, but neither returns nor enforces it.
    BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]  # as moto has it
    redrive_allow_policy: str | None = None
    #: messages that are still delayed
    delayed: list[Any]

    def url(self, request_url: Any) -> str:
        """The queue's URL, to which some SDKs send requests. moto uses the request's host."""
        return f"{served_at() or f'https://sqs.{self.region}.amazonaws.com'}/{self.account_id}/{self.name}"

    @property
    def attributes(self) -> dict[str, Any]:
        """moto's attributes, computed when they are read."""
        return _Attributes(self)

    @property
    def messages(self) -> VisibleMessages:
        """The visible messages."""
        return VisibleMessages(self._messages)

    def add_message(self, message: Any) -> None:
        """Add a message, as in moto. A delayed message is recorded for ``next_visible_at``."""
        message.__class__ = LocalMessage  # moto has no way to choose the class
        super().add_message(message)
        keep_message(self.name, message)
        if message.delayed_until > unix_time_millis():
            self.delayed.append(message)

    def next_visible_at(self) -> float | None:
        """Epoch milliseconds until which the first hidden or delayed message is hidden.

        Only the delayed and received messages are checked; the queue may have far more. In a FIFO queue all are, since
        a message may be hidden by an old receipt without being counted as received.
        """
        moment = unix_time_millis()
        self.delayed = [one for one in self.delayed if one.delayed_until >= moment] if self._messages else []
        first = None
        for one in self._messages if self.fifo_queue else itertools.chain(self.delayed, self.pending_messages):
            at = one.visible_at if one.visible_at > one.delayed_until else one.delayed_until
            if at >= moment and (first is None or at < first):
                first = at
        return first

    def delete_message(self, receipt_handle: str) -> None:
        """Search from the front, where received messages are; moto scans the whole queue twice, and copies it.

        Raises:
            ReceiptHandleIsInvalid: no message of the queue was received with this handle.
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
        """Attributes that aren't given are kept (SQS API reference, SetQueueAttributes); moto would drop the policy."""
        super()._set_attributes({"Policy": self.policy, **attributes}, now)
        if attributes.get("RedrivePolicy"):
            self.check_letters()

    def check_letters(self) -> None:
        """Check this queue against the dead-letter queue's ``RedriveAllowPolicy`` (SQS API reference,
        SetQueueAttributes). The service's error message isn't documented.

        Raises:
            SQSException: the policy only allows other queues.
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


#: Fields of a message that are stored, in addition to its attributes.
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
    """Store the current state of a message, in this queue only."""
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
    """Remove a stored message."""
    kept = active()
    if kept is not None:
        kept.delete(kind_of_messages(queue_name), message.id)


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    return {name: {"base64": b64encode(one).decode()} if isinstance(one, bytes) else one for name, one in value.items()}


class VisibleMessages:
    """The visible messages of a list, as of the time of creation; the list is only scanned as far as it is read."""

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
    """Receipt handles of deleted messages, so that deleting twice isn't an error. moto keeps them forever."""

    def __init__(self) -> None:
        self._handles: dict[str, None] = {}

    def __contains__(self, handle: object) -> bool:
        return handle in self._handles

    def update(self, handles: Iterable[str | None]) -> None:
        """Add handles; the oldest beyond ``REMEMBERED_HANDLES`` are dropped."""
        self._handles.update(dict.fromkeys(one for one in handles if one))
        while len(self._handles) > REMEMBERED_HANDLES:
            del self._handles[next(iter(self._handles))]


class _Attributes(dict[str, Any]):
    """A queue's attributes; messages are only counted if all attributes are read."""

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
        """Create a queue, as in moto, with our class."""
        is_new = name not in self.queues
        queue = super().create_queue(name, tags, **kwargs)
        if not isinstance(queue, LocalQueue):
            queue.deleted_messages = RecentHandles()
            queue.delayed = []
        queue.__class__ = LocalQueue  # moto has no way to choose the class
        if is_new:
            try:
                queue.check_letters()
            except SQSException:
                del self.queues[name]
                raise
        return queue

    def receive_message(self, queue_name: str, *args: Any, **kwargs: Any) -> list[Any]:
        """Receive, as in moto, and store the messages' receive counts."""
        found: list[Any] = super().receive_message(queue_name, *args, **kwargs)
        if found and active() is not None:
            received = {one.id for one in found}  # found are copies, with the requested attributes
            for message in self.get_queue(queue_name).pending_messages:
                if message.id in received:
                    keep_message(queue_name, message)
        return found

    def purge_queue(self, queue_name: str) -> None:
        """Purge, as in moto, and remove the stored messages."""
        super().purge_queue(queue_name)
        kept = active()
        if kept is not None:
            kept.delete_below(kind_of_messages(queue_name), "")

    def is_message_valid_based_on_retention_period(self, queue_name: str, message: Any) -> bool:
        """As in moto, which counts the whole queue for each message."""
        return bool(self.queues[queue_name].message_retention_period + message.sent_timestamp / 1000 > unix_time())
