"""Adapts targets in other projects to sync handlers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from handlers.commands.targets.message import delivery_of
from handlers.commands.targets.registry import RemoteHandler

if TYPE_CHECKING:
    from handlers.commands.model import Command
    from handlers.commands.targets.model import TargetSpec
    from handlers.commands.targets.port import RemoteTarget


class DeliveryHandler:
    """Delivers every command to one target."""

    def __init__(self, target: RemoteTarget, table: str) -> None:
        self._target = target
        self._table = table

    def up(self, command: Command) -> None:
        """See ``RemoteTarget.deliver``: the pipeline calls it in order, and possibly more than once."""
        self._target.deliver(delivery_of(command, self._table))


def remote_handlers(
    specs: Sequence[TargetSpec], table: str, connect: Callable[[TargetSpec], RemoteTarget]
) -> list[RemoteHandler]:
    """The handlers for the registry. ``connect`` creates a target's adapter."""
    return [RemoteHandler(spec.id, spec.types, DeliveryHandler(connect(spec), table)) for spec in specs]
