"""Answers to the event source mappings of streams."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from handlers.consumers.dead_letters import DeadLetters, is_kept
from handlers.consumers.failure_policy import Consumer
from handlers.core.log import log_step


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
