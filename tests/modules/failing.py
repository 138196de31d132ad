"""For demonstrations: a sync target that fails for one airport in ten. Load it with ``handlerModules``."""

from __future__ import annotations

import zlib

from handlers import Command, sync_handler

from .airports import TYPE

ONE_IN = 10


class SearchIsDown(Exception):
    """The pretended target can't be reached, and trying again would not help."""


@sync_handler(TYPE, id="failing-search")
class FailingSearch:
    """Stands for a target of yours that refuses some records."""

    def up(self, command: Command) -> None:
        """Fails always for the same airports, whatever the order of the run."""
        if zlib.crc32(command.code.encode()) % ONE_IN == 0:
            raise SearchIsDown(f"no index for {command.code}")
