"""Keys of the state of operators' commands, in ``tasks``."""

from __future__ import annotations

from handlers.core.key_parts import SEPARATOR

RESYNC_KIND = "RESYNC"


def resync_key(target: str, type_: str | None, tenant_code: str | None) -> tuple[str, str]:
    """Keys of the row in ``tasks`` that stores the progress of a resync of a sync target.

    None, written as ``*``, means all types or all tenants.
    """
    return f"{RESYNC_KIND}{SEPARATOR}{tenant_code or '*'}", f"{target}{SEPARATOR}{type_ or '*'}"
