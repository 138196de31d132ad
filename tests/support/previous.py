"""What stands for the reader of earlier states where no handler asks for one."""

from __future__ import annotations

from handlers.commands.model import Command


def nothing_before(command: Command) -> Command | None:
    """Fails the test: nobody should ask."""
    raise AssertionError(f"the state before {command.sk} was asked for")
