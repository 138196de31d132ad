"""The module of a handler that a person repairs."""

from __future__ import annotations

MOODY = '''"""A handler that a person repairs."""

from handlers import Command, sync_handler


@sync_handler("MOOD", id="moody")
class Moody:
    def up(self, command: Command) -> None:
        if command.attributes["bad"]:
            raise ValueError("in a bad mood")
'''
