"""An in-memory target."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.commands.targets.port import Delivery


class MemoryTarget:
    """Keeps deliveries in order. ``refuse`` may return an error to raise instead."""

    def __init__(self, refuse: Callable[[Delivery], Exception | None] | None = None) -> None:
        self.deliveries: list[Delivery] = []
        self._refuse = refuse

    def deliver(self, delivery: Delivery) -> None:
        """See RemoteTarget."""
        error = self._refuse(delivery) if self._refuse is not None else None
        if error is not None:
            raise error
        self.deliveries.append(delivery)
