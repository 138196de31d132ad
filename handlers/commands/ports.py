"""The ports by which the pipeline calls AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.core.light_dataclasses import dataclass

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.state_machines.port import StateMachines
    from handlers.store.port import TableStore
    from handlers.topics.port import Topic


@dataclass(frozen=True)
class Ports:
    """The pipeline's ports."""

    store: TableStore
    state_machines: StateMachines
    alarms: Topic
    clock: Clock
