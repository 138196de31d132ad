"""The ``loader`` function: loads and cancels import jobs from the table's stream, and handles states of the state
machines for large files and archives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.state_machines import SOURCE, STATUS_SOURCE
from handlers.consumers.batch_results import partial_answer
from handlers.core.errors import ValidationError
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.loader import LoaderParts, LoaderPorts, on_aws
from handlers.entrypoints.wiring.settings import LoaderSettings
from handlers.state_machines.ended_execution import is_of

if TYPE_CHECKING:
    from handlers.core.clock import Clock


def create(env: Mapping[str, str], *, clock: Clock | None = None, ports: LoaderPorts | None = None) -> Handler:
    """The function's handler. ``ports`` replace AWS, ``clock`` only the time.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = LoaderSettings(env)
    ports = ports or on_aws(settings, clock)
    parts = LoaderParts(settings, ports)

    def handle(event: dict[str, Any], context: Any) -> Any:
        if event.get("source") == SOURCE:
            return parts.states(event)
        if event.get("source") == STATUS_SOURCE:
            return (parts.archives.ended if is_of(event, settings.import_zip_state_machine_arn) else parts.csv_ended)(
                event
            )
        records = event.get("Records")
        if records is None:
            raise ValidationError("event", sorted(event), "a batch of the import table's stream, or a machine's state")
        return partial_answer(records, parts.stream.on_stream_records(records), ports.dead_letters)

    return bounded(handle)


handler = lambda_handler(create)
