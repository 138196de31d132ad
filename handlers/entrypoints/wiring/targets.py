"""Targets, for the two functions that apply commands: those in other projects, and what their own may ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.commands.model import Command
    from handlers.commands.targets.model import TargetSpec
    from handlers.commands.targets.previous import Before
    from handlers.commands.targets.registry import RemoteHandler
    from handlers.store.port import Item, TableStore


def remote_targets(specs: Sequence[TargetSpec], commands_table: str) -> list[RemoteHandler]:
    """Their sync handlers, by the adapters on AWS, which a stack without such targets doesn't load."""
    if not specs:
        return []
    from handlers.commands.targets.connect import connect
    from handlers.commands.targets.handler import remote_handlers

    return remote_handlers(specs, commands_table, connect)


def states_before(store: TableStore, now: Callable[[], float], decoded: Callable[[Item], Item]) -> Before:
    """Reads the state before a version; loaded when the first handler asks for one."""

    def before(command: Command) -> Command | None:
        from handlers.commands.targets.previous import StatesBefore

        return StatesBefore(store, now, decoded)(command)

    return before
