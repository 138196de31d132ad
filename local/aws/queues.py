"""SQS of the local endpoint: moto's queues, cheaper, and with waits that don't hold the lock."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moto.core.utils import unix_time, unix_time_millis
from moto.sqs.exceptions import ReceiptHandleIsInvalid, SQSException
from moto.sqs.models import Queue, SQSBackend

from local.aws import services
from local.aws.model import AwsRequest, AwsResponse, EndpointError

if TYPE_CHECKING:
    from local.aws.endpoint import AwsEndpoint

#: How often a waiting ReceiveMessage looks again (seconds).
POLL_INTERVAL_S = 0.2
REMEMBERED_HANDLES = 10_000


_served_at: str | None = None


def served_at() -> str | None:
    """The URL at which the endpoint is served, None where it isn't."""
    return _served_at


def serve_at(url: str | None) -> None:
    """Give queues URLs that begin with ``url``; None: those of AWS, for clients in this process alone."""
    global _served_at
    _served_at = url


class LocalQueue(Queue):  # type: ignore[misc]  # moto has no types that mypy can follow
    """moto's queue. It counts all its messages for every message sent; here that is left out."""

    #: moto keeps the last one like any attribute, and neither shows it nor minds it.
    BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]  # as moto has it
    redrive_allow_policy: str | None = None

    def url(self, request_url: Any) -> str:
        """Where clients reach the queue: some SDKs send requests to this address. moto's is the request's."""
        return f"{served_at() or f'https://sqs.{self.region}.amazonaws.com'}/{self.account_id}/{self.name}"

    @property
    def attributes(self) -> dict[str, Any]:
        """moto's attributes, worked out when they are read."""
        return _Attributes(self)

    @property
    def messages(self) -> list[Any]:
        """The visible ones; the time is taken once, not per message."""
        moment = unix_time_millis()
        return [m for m in self._messages if moment > m.visible_at and moment >= m.delayed_until]

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
        queue.__class__ = LocalQueue  # moto names its class itself and has no other place to choose it
        if is_new:
            try:
                queue.check_letters()
            except SQSException:
                del self.queues[name]
                raise
        return queue

    def is_message_valid_based_on_retention_period(self, queue_name: str, message: Any) -> bool:
        """moto counts the whole queue for this, for each message."""
        return bool(self.queues[queue_name].message_retention_period + message.sent_timestamp / 1000 > unix_time())


class ReceiveMessage:
    """ReceiveMessage with WaitTimeSeconds: moto would wait in real time with the lock held."""

    def __init__(self, endpoint: AwsEndpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, request: AwsRequest) -> AwsResponse:
        """Look, and look again until there is a message or the time is over."""
        endpoint = self._endpoint
        scheduler = endpoint.scheduler
        params = dict(request.params)
        name = str(params.get("QueueUrl", "")).rpartition("/")[2]
        with endpoint.lock:
            queue = services.backend("sqs", request.region).queues.get(name)
            default = 0 if queue is None else int(queue.receive_message_wait_time_seconds)
        wait = min(int(params.get("WaitTimeSeconds", default)), 20)
        params["WaitTimeSeconds"] = 0
        once = AwsRequest(request.service, request.operation, request.region, params)
        waited = 0.0
        while True:
            with endpoint.lock:
                response = endpoint.call_moto(once)
            if waited >= wait or response.status != 200 or response.value.get("Messages"):
                return response
            if scheduler is not None and scheduler.current_task() is not None:
                scheduler.sleep(POLL_INTERVAL_S)
            elif scheduler is not None and scheduler.is_virtual:
                return response  # outside of a task virtual time stands still
            else:
                threading.Event().wait(POLL_INTERVAL_S)
            waited += POLL_INTERVAL_S


class Queues:
    """Reads and empties queues for event source mappings, by their ARN."""

    def __init__(self, endpoint: AwsEndpoint, client: Any) -> None:
        """``client`` is a boto3 SQS client: receiving and deleting are calls like any other."""
        self._endpoint = endpoint
        self._client = client

    def receive(self, queue_arn: str, limit: int) -> list[Mapping[str, Any]]:
        """Up to ``limit`` (at most 10) visible messages in ReceiveMessage's shape, now hidden."""
        answer = self._client.receive_message(
            QueueUrl=queue_url(queue_arn),
            MaxNumberOfMessages=min(limit, 10),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        )
        return list(answer.get("Messages", []))

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        """Remove messages."""
        for start in range(0, len(receipt_handles), 10):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle}
                for number, handle in enumerate(receipt_handles[start : start + 10])
            ]
            self._client.delete_message_batch(QueueUrl=queue_url(queue_arn), Entries=entries)

    def next_visible_at(self, queue_arn: str) -> float | None:
        """When the next hidden or delayed message appears; see ``next_visible_at``."""
        return next_visible_at(self._endpoint, queue_arn)


def has_visible_messages(endpoint: AwsEndpoint, queue_arn: str) -> bool:
    """Whether a receive would find something, without a call: looks at messages until the first visible one."""
    with endpoint.lock:
        moment = unix_time_millis()
        return any(
            moment > message.visible_at and moment >= message.delayed_until
            for message in _queue(endpoint, queue_arn)._messages
        )


def next_visible_at(endpoint: AwsEndpoint, queue_arn: str) -> float | None:
    """Epoch seconds at which the first hidden or delayed message appears, None if no message is hidden.

    moto's message is still hidden at that very moment and visible after it.
    """
    with endpoint.lock:
        moment = unix_time_millis()
        times = (max(m.visible_at, m.delayed_until) for m in _queue(endpoint, queue_arn)._messages)
        return min((at / 1000 for at in times if at >= moment), default=None)


def queue_url(queue_arn: str) -> str:
    """A queue's URL from its ARN."""
    region, account, name = queue_arn.split(":")[3:6]
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def _queue(endpoint: AwsEndpoint, queue_arn: str) -> Queue:
    parts = queue_arn.split(":")
    queue = services.backend("sqs", parts[3]).queues.get(parts[-1]) if len(parts) == 6 else None
    if queue is None:
        raise EndpointError(f"no queue {queue_arn!r} on the local endpoint")
    return queue
