"""The samples, for commands that run them: whoever takes this repository removes them sooner or later."""

from __future__ import annotations

import importlib
from typing import Any

from cli.errors import CommandError

ORDERS, AIRPORTS = "handlers.domain.orders", "handlers.domain.airports"
#: What tells a sample from another module of its name.
MARKS = {ORDERS: "OrderSummary", AIRPORTS: "AirportImport"}


def sample(module: str, who: str) -> Any:
    """The sample's module. ``who``: what needs it, for the message.

    Raises:
        CommandError: it is not in this repository any more, or another module has its name.
    """
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        found = None
    if not hasattr(found, MARKS[module]):
        raise CommandError(f"{who} needs the sample {module}, which is not in this repository any more")
    return found
