"""Keys of what operators' commands remember, in ``tasks``."""

from __future__ import annotations

from handlers.core.key_parts import SEPARATOR

RESYNC_KIND = "RESYNC"


def resync_key(target: str, type_: str | None, tenant_code: str | None) -> tuple[str, str]:
    """Keys of the row in ``tasks`` that remembers how far a resync of a sync target has come.

    None: the target's rows of all types, of all tenants; ``*`` stands for it.
    """
    return f"{RESYNC_KIND}{SEPARATOR}{tenant_code or '*'}", f"{target}{SEPARATOR}{type_ or '*'}"
