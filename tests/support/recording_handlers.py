"""Copied into the deployment of a test as ``handlers.domain.recording``."""

from __future__ import annotations

from handlers.commands.model import Command
from handlers.errors import TransientError
from handlers.registry import data_sync_handler
from handlers.tasks.handlers import TaskCall, task_handler
from tests.support import recorder


@data_sync_handler("ORDER", id="one")
class One:
    def up(self, command: Command) -> object:
        return recorder.handle("one", command)


@data_sync_handler("ORDER", id="two")
class Two:
    def up(self, command: Command) -> object:
        return recorder.handle("two", command)


@data_sync_handler("ORDER", id="three")
class Three:
    def up(self, command: Command) -> object:
        return recorder.handle("three", command)


@task_handler("job", expected_seconds=0.5)
class Job:
    def run(self, given: object, call: TaskCall) -> object:
        try:
            return recorder.run_task(given, call)
        except recorder.NotYet as error:
            raise TransientError(str(error)) from error
