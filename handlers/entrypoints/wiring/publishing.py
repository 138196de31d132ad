"""Collaborators for workflow classes only, which run in the function that contains the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from contract.collaborators import PUBLISHER, SKIPPER, SYNC_PUBLISHER

if TYPE_CHECKING:
    from handlers.commands.pipeline.steps import Pipeline
    from handlers.commands.ports import Ports
    from handlers.commands.publishing.sync_publisher import SyncPublisher
    from handlers.entrypoints.wiring.settings import StatesSettings
    from handlers.operations.skip import Skipper


def publishing(
    collaborators: Mapping[str, Any], ports: Ports, pipeline: Pipeline, settings: StatesSettings
) -> dict[str, Callable[[], Any]]:
    """Name to factory. ``collaborators`` contains the publisher on which the synchronous one is based."""

    def sync_publisher() -> SyncPublisher:
        from handlers.commands.publishing.sync_publisher import SyncPublisher

        publisher = collaborators[PUBLISHER]
        return SyncPublisher(publisher, pipeline, ports.clock, lease_seconds=settings.lease_seconds)

    def skipper() -> Skipper:
        from handlers.operations.skip import Skipper

        return Skipper(ports.store, ports.clock, pipeline.finisher, pipeline.record_failure)

    return {SYNC_PUBLISHER: sync_publisher, SKIPPER: skipper}
