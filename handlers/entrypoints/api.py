"""The ``api`` function: answers requests of the HTTP API (payload format 2.0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from handlers.api.app import Api
from handlers.api.http.identity import Identities, grants_of
from handlers.entrypoints.wiring.api import ApiParts, on_aws
from handlers.entrypoints.wiring.lazy import Handler, lambda_handler
from handlers.entrypoints.wiring.settings import ApiSettings

if TYPE_CHECKING:
    from handlers.api.services import Services
    from handlers.core.clock import Clock


def create(env: Mapping[str, str], *, clock: Clock | None = None, services: Services | None = None) -> Handler:
    """The function's handler. ``services`` replace AWS, ``clock`` only the time.

    Raises:
        SettingsError: the function can't start; the message names the variable.
    """
    settings = ApiSettings(env)
    identities = Identities(settings.tenant_claim, settings.role_claim, grants_of(settings.tenants))
    return Api(services or ApiParts(settings, on_aws(settings, clock)), identities)


handler = lambda_handler(create)
