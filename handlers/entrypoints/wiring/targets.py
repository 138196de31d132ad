"""Wiring of sync targets, for the functions that apply commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from handlers.commands.targets.registry import Registry, load_registry

if TYPE_CHECKING:
    from handlers.commands.model import Command
    from handlers.commands.targets.model import TargetSpec
    from handlers.commands.targets.previous import Before
    from handlers.commands.targets.registry import RemoteHandler
    from handlers.entrypoints.wiring.settings import ImportsSettings, PipelineSettings
    from handlers.store.port import Item, TableStore


def sync_targets(
    settings: PipelineSettings | ImportsSettings,
    store: TableStore,
    now: Callable[[], float],
    decoded: Callable[[Item], Item],
    collaborators: Mapping[str, Any],
) -> Registry:
    """All targets: in the application's modules and in other projects. Raises RegistryError, naming the module."""
    remote = remote_targets(settings.sync_targets, settings.commands_table)
    before = states_before(store, now, decoded)
    return load_registry(settings.handler_modules, collaborators, remote, before=before)


def remote_targets(specs: Sequence[TargetSpec], commands_table: str) -> list[RemoteHandler]:
    """Sync handlers for targets in other projects. A stack without such targets doesn't load the adapters."""
    if not specs:
        return []
    from handlers.commands.targets.connect import connect
    from handlers.commands.targets.handler import remote_handlers

    return remote_handlers(specs, commands_table, connect)


def states_before(store: TableStore, now: Callable[[], float], decoded: Callable[[Item], Item]) -> Before:
    """A function that reads the state before a version; its module is loaded at the first call."""

    def before(command: Command) -> Command | None:
        from handlers.commands.targets.previous import StatesBefore

        return StatesBefore(store, now, decoded)(command)

    return before
