"""The ``imports`` function: consumes the import queue and the stream of import jobs and rows, and handles the batches
of the state machine for large files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from contract.state_machines import SOURCE
from handlers.commands.publishing.publisher import new_row_id
from handlers.consumers.batch_results import partial_answer
from handlers.consumers.dead_letters import QUEUE_SOURCE
from handlers.core.errors import ValidationError
from handlers.entrypoints.wiring.imports import ImportParts, ImportPorts, on_aws
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import ImportsSettings

if TYPE_CHECKING:
    from handlers.core.clock import Clock


def create(
    env: Mapping[str, str],
    *,
    clock: Clock | None = None,
    ports: ImportPorts | None = None,
    new_id: Callable[[], str] = new_row_id,
) -> Handler:
    """The function's handler. ``ports`` replace AWS, ``clock`` only the time, ``new_id`` the random ids of rows.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = ImportsSettings(env)
    ports = ports or on_aws(settings, clock)
    parts = ImportParts(settings, ports, new_id=new_id)

    def handle(event: dict[str, Any], context: Any) -> Any:
        if event.get("source") == SOURCE:
            return parts.states(event)
        records = event.get("Records")
        if records is None:
            raise ValidationError("event", sorted(event), "a batch of a parts.stream or a queue, or a machine's state")
        if records and records[0].get("eventSource") == QUEUE_SOURCE:
            return parts.worker(records)
        return partial_answer(records, parts.stream.on_stream_records(records), ports.dead_letters)

    return bounded(handle)


handler = lambda_handler(create)
