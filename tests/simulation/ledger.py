"""The one sync handler of the simulated accounts. What it does is the world's to decide."""

from __future__ import annotations

from handlers.commands.model import Command
from handlers.commands.targets.registry import sync_handler
from tests.simulation.targets import apply_to_target

LEDGER = "ledger"


@sync_handler("ACCOUNT", id="ledger")
class Ledger:
    """A read model elsewhere, conditional on the version."""

    def up(self, command: Command) -> object:
        apply_to_target.get()(LEDGER, command, [])
        return None
