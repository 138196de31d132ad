"""SQS of the local endpoint: long polling without holding the lock, and access to queues for event sources."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from local.aws import services
from local.aws.model import AwsRequest, AwsResponse, EndpointError
from local.aws.moto_queues import LocalQueue

if TYPE_CHECKING:
    from local.aws.endpoint import AwsEndpoint

#: Polling interval of a waiting ReceiveMessage (seconds).
POLL_INTERVAL_S = 0.2


class ReceiveMessage:
    """ReceiveMessage with WaitTimeSeconds: moto would wait in real time with the lock held."""

    def __init__(self, endpoint: AwsEndpoint) -> None:
        self._endpoint = endpoint

    def __call__(self, request: AwsRequest) -> AwsResponse:
        """Poll until there is a message or the wait time is over."""
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
                return response  # outside of a task, virtual time doesn't advance
            else:
                threading.Event().wait(POLL_INTERVAL_S)
            waited += POLL_INTERVAL_S


class Queues:
    """Reads and empties queues for event source mappings, by their ARN."""

    def __init__(self, endpoint: AwsEndpoint, client: Any) -> None:
        """``client`` is a boto3 SQS client: receiving and deleting are ordinary calls."""
        self._endpoint = endpoint
        self._client = client

    def receive(self, queue_arn: str, limit: int) -> list[Mapping[str, Any]]:
        """Receive up to ``limit`` (at most 10) messages, in ReceiveMessage's shape.

        Makes no call if none is visible: sources poll whenever something was sent to any queue.
        """
        if not has_visible_messages(self._endpoint, queue_arn):
            return []
        answer = self._client.receive_message(
            QueueUrl=queue_url(queue_arn),
            MaxNumberOfMessages=min(limit, 10),
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
            WaitTimeSeconds=0,
        )
        return list(answer.get("Messages", []))

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        """Delete messages."""
        for start in range(0, len(receipt_handles), 10):
            entries = [
                {"Id": str(number), "ReceiptHandle": handle}
                for number, handle in enumerate(receipt_handles[start : start + 10])
            ]
            self._client.delete_message_batch(QueueUrl=queue_url(queue_arn), Entries=entries)

    def next_visible_at(self, queue_arn: str) -> float | None:
        """When the next hidden or delayed message becomes visible; see the function ``next_visible_at``."""
        return next_visible_at(self._endpoint, queue_arn)


def has_visible_messages(endpoint: AwsEndpoint, queue_arn: str) -> bool:
    """Whether a receive would find a message; determined without a call, by scanning to the first visible one."""
    with endpoint.lock:
        return bool(_queue(endpoint, queue_arn).messages)


def next_visible_at(endpoint: AwsEndpoint, queue_arn: str) -> float | None:
    """Epoch seconds at which the first hidden or delayed message becomes visible; None if none is hidden.

    In moto, a message is still hidden at exactly that time, and visible after it.
    """
    with endpoint.lock:
        at = _queue(endpoint, queue_arn).next_visible_at()
        return None if at is None else at / 1000


def queue_url(queue_arn: str) -> str:
    """A queue's URL from its ARN."""
    region, account, name = queue_arn.split(":")[3:6]
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


def _queue(endpoint: AwsEndpoint, queue_arn: str) -> LocalQueue:
    parts = queue_arn.split(":")
    queue = services.backend("sqs", parts[3]).queues.get(parts[-1]) if len(parts) == 6 else None
    if not isinstance(queue, LocalQueue):
        raise EndpointError(f"no queue {queue_arn!r} on the local endpoint")
    return queue
