"""Copied into the deployment of a test as ``handlers.domain.recording``."""

from __future__ import annotations

from handlers.commands.model import Command
from handlers.registry import data_sync_handler
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
