"""Upload locations: below the prefix of the caller's tenant only."""

from __future__ import annotations

import os
from urllib.parse import quote

from contract.objects import IMPORTS
from handlers.api.http.models import Shown
from handlers.api.services import Services
from handlers.core.values.ulids import ULID_RANDOM_BYTES, ulid
from handlers.objects.links import SECONDS


class Upload(Shown):
    """Send the file to ``url`` with ``method``, then refer to it by ``key``. ``expiresIn``: seconds."""

    key: str
    method: str
    url: str
    expires_in: int


def tenant_prefix(tenant: str) -> str:
    """Prefix of the keys of a tenant's files. Tenants can't share one, since a '/' in a tenant's code is encoded."""
    return f"{IMPORTS}{quote(tenant, safe='')}/"


def attributes_prefix(tenant: str) -> str:
    """Prefix of uploaded attributes that no command contains yet."""
    return f"{tenant_prefix(tenant)}large/"


def upload_to(services: Services, prefix: str, name: str) -> Upload:
    """A presigned upload link for a new object."""
    own = ulid(int(services.clock.now() * 1000), os.urandom(ULID_RANDOM_BYTES))
    key = f"{prefix}{own}/{name}"
    return Upload(key=key, method="PUT", url=services.links.upload(key), expires_in=SECONDS)
