"""Starts executions of the command state machine for accepted commands: from the stream, once per (row, attempt)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.tables import INSERT
from handlers.commands import status
from handlers.core.log import log_step
from handlers.store.values import item_from_dynamo

if TYPE_CHECKING:
    from handlers.state_machines.port import StateMachines

#: Seconds after which the sweeper checks a new row; normally the stream starts it far sooner.
START_GRACE_SECONDS = 300


def execution_name(pk: str, sk: str, row_id: str, attempt: int, restart: int) -> str:
    """A pure function of the command, so that a redelivery finds the execution that it has already started.

    Hexadecimal, 64 characters: Step Functions allows 80, and CloudWatch can log these.
    """
    text = "\0".join((pk, sk, row_id, str(attempt), str(restart)))
    return hashlib.sha256(text.encode()).hexdigest()


def execution_input(row: dict[str, Any]) -> dict[str, Any]:
    """Keys only; every state reads the row itself."""
    return {"pk": row["pk"], "sk": row["sk"], "id": row["id"], "attempt": row["attempt"]}


class CommandStarter:
    """Starts executions."""

    def __init__(self, state_machines: StateMachines, machine_arn: str) -> None:
        self._state_machines = state_machines
        self._machine_arn = machine_arn

    def start(self, row: dict[str, Any], *, restart: int = 0) -> bool:
        """Start an execution for a command row. False: it was started before."""
        name = execution_name(row["pk"], row["sk"], row["id"], row["attempt"], restart)
        return self._state_machines.start(self._machine_arn, name, execution_input(row))

    def on_stream_record(self, record: dict[str, Any]) -> None:
        """Start an execution for a new asynchronous command."""
        row = accepted_row(record)
        if row is None:
            return
        started = self.start(row)
        log_step("started" if started else "was started before", level=logging.INFO, pk=row["pk"], sk=row["sk"])

    def on_stream_records(self, records: Sequence[dict[str, Any]]) -> dict[int, Exception]:
        """Start executions for a batch. A bad record doesn't stop the others. Returns index to error."""
        failed: dict[int, Exception] = {}
        for index, record in enumerate(records):
            try:
                self.on_stream_record(record)
            except Exception as error:  # noqa: BLE001 - boundary: one record; the consumer decides its outcome
                failed[index] = error
        return failed


def accepted_row(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The fields that a start needs, from a stream record of a new asynchronous command.

    None: another kind of record, which is dropped here as well as by the event source's filter.
    """
    image = record.get("dynamodb", {}).get("NewImage")
    if record.get("eventName") != INSERT or image is None:
        return None
    row = item_from_dynamo({name: image[name] for name in ("pk", "sk", "id", "attempt", "status") if name in image})
    return row if row.get("status") == status.ACCEPTED else None
