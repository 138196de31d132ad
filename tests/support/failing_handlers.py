"""An application whose code raises what a test wants: a strategy, a task handler and a sync handler."""

from __future__ import annotations

from typing import Any

from handlers.commands.model import Command, CommandInput
from handlers.commands.targets.registry import sync_handler
from handlers.imports.strategy import ImportStrategy, Row, import_strategy
from handlers.tasks.handlers import task_handler

#: What is raised; nothing when it is empty.
RAISED: list[Exception] = []


def work() -> None:
    """Raise it."""
    for error in RAISED:
        raise error


@import_strategy("failing", columns=("code",), key=("code",))
class FailingImport(ImportStrategy):
    """Its rows are mapped by what fails."""

    def map(self, row: Row) -> CommandInput:
        work()
        return CommandInput("FAILING", row["code"], "name", {})


@task_handler("failing")
class FailingTask:
    """Its tasks fail."""

    def run(self, given: Any) -> Any:
        work()
        return given


@sync_handler("FAILING", id="failing")
class FailingTarget:
    """A target that refuses."""

    def up(self, command: Command) -> None:
        work()
