"""What a consumer answers to Lambda: which records of a batch come again, and which go into a dead-letter queue."""

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
    """The answer to a stream's batch, from the index of each failed record and the reason, which is logged.

    What is permanent goes into ``letters`` and does not keep back its shard. Behind a record that comes again nothing
    is put: all that follows it comes again, too, and would be put each time.

    Returns:
        ``{"batchItemFailures": [{"itemIdentifier": <sequence number>}]}``: Lambda delivers again from the lowest
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
    """Call ``work(record, receives)`` for each message of a batch; ``failed`` is what the log says of one that raises.

    One that nobody can work on goes into ``letters``.

    ``has_record_data``: the text of its error may hold some, so it is not logged.

    Returns:
        ``{"batchItemFailures": [{"itemIdentifier": <message id>}]}``: those come again.
    """
    failures = []
    for record in records:
        try:
            work(record, int(record["attributes"]["ApproximateReceiveCount"]))
        except Exception as error:  # noqa: BLE001 - boundary: one message; it is logged and comes again
            why: dict[str, Any] = without_text(error) if has_record_data else {"error": error}
            log_step(failed, level=logging.ERROR, messageId=record.get("messageId"), **why)
            if not is_kept(record, error, Consumer.QUEUE_MESSAGE, letters):
                failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
