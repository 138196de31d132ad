"""What workflow classes may ask for beside ``store``, ``clock`` and ``workflows``: publishing commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handlers.commands.publishing.publisher import CommandPublisher, new_row_id
from handlers.commands.publishing.sync_publisher import SyncPublisher
from handlers.operations.skip import Skipper

if TYPE_CHECKING:
    from handlers.commands.attributes import AttributeStore
    from handlers.commands.pipeline.steps import Pipeline
    from handlers.commands.ports import Ports
    from handlers.entrypoints.wiring.settings import StatesSettings

SOURCE = "workflow"


def publishing(
    ports: Ports,
    attributes: AttributeStore,
    pipeline: Pipeline,
    settings: StatesSettings,
    new_id: Callable[[], str] | None = None,
) -> dict[str, Any]:
    """``publisher`` (CommandPublisher), ``sync_publisher`` (SyncPublisher) and ``skipper`` (Skipper), by name.

    ``new_id`` makes the ids of rows, in place of random ones.
    """
    publisher = CommandPublisher(ports.store, attributes, ports.clock, source=SOURCE, new_id=new_id or new_row_id)
    sync = SyncPublisher(publisher, pipeline, ports.clock, lease_seconds=settings.lease_seconds)
    return {
        "publisher": publisher,
        "sync_publisher": sync,
        "skipper": Skipper(ports.store, ports.clock, pipeline.finisher, pipeline.record_failure),
    }
