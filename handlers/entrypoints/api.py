"""The ``api`` function: answers requests of the HTTP API (payload format 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from handlers.api.app import Api
from handlers.entrypoints.wiring.lazy import Handler, lambda_handler
from handlers.entrypoints.wiring.settings import ApiSettings

if TYPE_CHECKING:
    from handlers.core.clock import Clock


def create(env: Mapping[str, str], *, clock: Clock | None = None) -> Handler:
    """The function's handler. ``clock`` replaces the time.

    Raises:
        SettingsError: the function can't start; the message names the variable.
    """
    ApiSettings(env)
    return Api()


handler = lambda_handler(create)
