"""The ``apply`` function: applies new commands from the stream if ``commandWorkflow`` is INLINE."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from handlers.consumers.batch_results import partial_answer
from handlers.core.errors import ValidationError
from handlers.entrypoints.wiring.apply import ApplyParts, ApplyPorts, on_aws
from handlers.entrypoints.wiring.lazy import Handler, bounded, lambda_handler
from handlers.entrypoints.wiring.settings import ApplySettings

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.core.clock import Clock
    from handlers.core.concurrency import Concurrency
    from handlers.state_machines.port import CustomWorkflows

#: Reserved for the rest of a batch: an execution is started for each of its commands.
RESERVE_SECONDS = 10.0


def create(
    env: Mapping[str, str],
    *,
    clock: Clock | None = None,
    ports: ApplyPorts | None = None,
    attributes: AttributeStore | None = None,
    workflows: CustomWorkflows | None = None,
    concurrency: Concurrency | None = None,
    new_id: Callable[[], str] | None = None,
) -> Handler:
    """The function's handler. ``ports``, ``attributes`` and ``workflows`` replace AWS, ``clock`` only the time,
    ``concurrency`` the threads, ``new_id`` the random ids of rows.

    Raises:
        SettingsError, RegistryError: the function can't start; the message names the variable or module.
    """
    settings = ApplySettings(env)
    ports = ports or on_aws(settings, clock)
    parts = ApplyParts(settings, ports, attributes, workflows, concurrency, new_id)

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        records = event.get("Records")
        if records is None:
            raise ValidationError("event", sorted(event), "a batch of a stream")
        left = context.get_remaining_time_in_millis() / 1000
        # A version that begins at the last moment still needs time for its targets.
        until = ports.clock.now() + left - RESERVE_SECONDS - settings.inline_target_seconds
        return partial_answer(records, parts.consumer.on_stream_records(records, until), ports.dead_letters)

    return bounded(handle)


handler = lambda_handler(create)
