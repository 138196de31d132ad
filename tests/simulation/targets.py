"""Two sync handlers of the simulated application. What they do is the world's to decide."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar

from handlers.commands.model import Command
from handlers.commands.targets.registry import sync_handler

TARGETS = ("mail", "search")

#: Target, command and, of a handler that asks for it, the state before in a list; set by the world.
apply_to_target: ContextVar[Callable[[str, Command, Sequence[Command | None]], None]] = ContextVar("apply_to_target")


@sync_handler("ORDER", id="search")
class Search:
    """A read model elsewhere, conditional on the version. Asks for the state before."""

    def up(self, command: Command, previous: Command | None) -> object:
        apply_to_target.get()("search", command, [previous])
        return {"answer": "x" * 100}


@sync_handler("ORDER", id="mail")
class Mail:
    """Another one."""

    def up(self, command: Command) -> object:
        apply_to_target.get()("mail", command, [])
        return None
