"""The samples, for commands that run them. Users of this repository may have removed them."""

from __future__ import annotations

import importlib
from typing import Any

from cli.errors import CommandError

ORDERS, AIRPORTS = "handlers.domain.orders", "handlers.domain.airports"
#: An attribute by which a sample is told from another module of its name.
MARKS = {ORDERS: "OrderSummary", AIRPORTS: "AirportImport"}


def sample(module: str, user: str) -> Any:
    """The sample's module. ``user``: the command that needs it, for the message.

    Raises:
        CommandError: this repository no longer contains it, or another module has its name.
    """
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        found = None
    if not hasattr(found, MARKS[module]):
        raise CommandError(f"{user} needs the sample {module}, which this repository no longer contains")
    return found
