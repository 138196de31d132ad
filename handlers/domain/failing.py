"""For demonstrations: a sync target that fails for one in ten airports. Load it with ``handlerModules``."""

from __future__ import annotations

import zlib

from handlers import Command, sync_handler
from handlers.domain.airports import TYPE

ONE_IN = 10


class SearchIsDown(Exception):
    """The simulated target can't be reached, and a retry would not help."""


@sync_handler(TYPE, id="failing-search")
class FailingSearch:
    """Simulates a target that rejects some records."""

    def up(self, command: Command) -> None:
        """Always fail for the same airports, whatever the order of processing."""
        if zlib.crc32(command.code.encode()) % ONE_IN == 0:
            raise SearchIsDown(f"no index for {command.code}")
