"""The ``api`` function: handles requests of the HTTP API (payload format 2.0)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from contract.objects import IMPORTS
from handlers.api.app import Api
from handlers.api.console.pages import Console, PageSettings, is_packed
from handlers.api.http.identity import Identities, grants_of
from handlers.entrypoints.wiring.api import ApiParts, on_aws
from handlers.entrypoints.wiring.lazy import Handler, lambda_handler
from handlers.entrypoints.wiring.settings import ApiSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from handlers.api.services import Services
    from handlers.core.clock import Clock


def create(
    env: Mapping[str, str],
    *,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
    services: Services | None = None,
) -> Handler:
    """Create the function's handler. ``services`` replace AWS, ``clock`` and ``sleep`` only the time.

    Raises:
        SettingsError: the function can't start; the message names the variable.
    """
    settings = ApiSettings(env)
    identities = Identities(settings.tenant_claim, settings.role_claim, grants_of(settings.tenants))
    parts = services or ApiParts(settings, on_aws(settings, clock), sleep=sleep)
    console = Console(PageSettings(), uploads=lambda: uploads_of(parts)) if is_packed() else None
    return Api(parts, identities, console=console)


def uploads_of(services: Services) -> str:
    """The origin to which the console's page uploads files."""
    link = urlsplit(services.links.upload(IMPORTS))
    return f"{link.scheme}://{link.netloc}"


handler = lambda_handler(create)
