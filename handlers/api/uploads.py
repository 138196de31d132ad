"""Where callers put files: below their tenant's own prefix, and nowhere else."""

from __future__ import annotations

import os
from urllib.parse import quote

from contract.objects import IMPORTS
from handlers.api.http.models import Shown
from handlers.api.services import Services
from handlers.core.values.ulids import ULID_RANDOM_BYTES, ulid
from handlers.objects.links import SECONDS


class Upload(Shown):
    """Put the file to ``url`` by ``method``; then name it by ``key``. The link is good for ``expiresIn`` seconds."""

    key: str
    method: str
    url: str
    expires_in: int


def tenant_prefix(tenant: str) -> str:
    """What the keys of a tenant's files begin with, and of no other's: a '/' in a tenant's code is encoded."""
    return f"{IMPORTS}{quote(tenant, safe='')}/"


def attributes_prefix(tenant: str) -> str:
    """Of large attributes on their way."""
    return f"{tenant_prefix(tenant)}large/"


def upload_to(services: Services, prefix: str, name: str) -> Upload:
    """A link for a new object."""
    own = ulid(int(services.clock.now() * 1000), os.urandom(ULID_RANDOM_BYTES))
    key = f"{prefix}{own}/{name}"
    return Upload(key=key, method="PUT", url=services.links.upload(key), expires_in=SECONDS)
