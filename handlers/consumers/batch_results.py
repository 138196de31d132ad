"""Partial batch responses: which records are redelivered, and which go into a dead-letter queue."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from handlers.consumers.dead_letters import DeadLetters, is_kept
from handlers.consumers.failure_policy import Consumer
from handlers.core.log import log_step, without_text


def partial_answer(
    records: list[dict[str, Any]], failed: Mapping[int, Exception], letters: DeadLetters
) -> dict[str, Any]:
    """The response to a stream's batch, given the index and the error of each failed record. Logs the errors.

    Records with permanent errors go into ``letters``, so that they don't block the shard. After a record that is
    redelivered none are put there: all following records are redelivered, too, and would be put there each time.

    Returns:
        ``{"batchItemFailures": [{"itemIdentifier": <sequence number>}]}``: Lambda redelivers from the lowest
        (Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda").
    """
    failures: list[dict[str, str]] = []
    for index, reason in sorted(failed.items(), key=lambda one: one[0]):
        sequence_number = records[index].get("dynamodb", {}).get("SequenceNumber", "")
        log_step("record failed", level=logging.ERROR, error=reason, sequenceNumber=sequence_number)
        if failures or not is_kept(records[index], reason, Consumer.STREAM_RECORD, letters):
            failures.append({"itemIdentifier": sequence_number})
    return {"batchItemFailures": failures}


def answer_each(
    records: Sequence[Mapping[str, Any]],
    work: Callable[[Mapping[str, Any], int], None],
    failed: str,
    letters: DeadLetters,
    *,
    has_record_data: bool = False,
) -> dict[str, Any]:
    """Call ``work(record, receives)`` for each message of a batch. ``failed``: the log message for one that raises.

    Messages with permanent errors go into ``letters``.

    ``has_record_data``: the error's text may contain record data, so it isn't logged.

    Returns:
        ``{"batchItemFailures": [{"itemIdentifier": <message id>}]}``: these are redelivered.
    """
    failures = []
    for record in records:
        try:
            work(record, int(record["attributes"]["ApproximateReceiveCount"]))
        except Exception as error:  # noqa: BLE001 - boundary: one message; it is logged and redelivered
            why: dict[str, Any] = without_text(error) if has_record_data else {"error": error}
            log_step(failed, level=logging.ERROR, messageId=record.get("messageId"), **why)
            if not is_kept(record, error, Consumer.QUEUE_MESSAGE, letters):
                failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
