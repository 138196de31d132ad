"""Targets in other projects, for the two functions that apply commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.commands.targets.model import TargetSpec
    from handlers.commands.targets.registry import RemoteHandler


def remote_targets(specs: Sequence[TargetSpec], commands_table: str) -> list[RemoteHandler]:
    """Their sync handlers, by the adapters on AWS, which a stack without such targets doesn't load."""
    if not specs:
        return []
    from handlers.commands.targets.connect import connect
    from handlers.commands.targets.handler import remote_handlers

    return remote_handlers(specs, commands_table, connect)
