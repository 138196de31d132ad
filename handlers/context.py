"""Who asks: the one object that every public call takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InvokeContext:
    """The caller of a public operation; workers restore it from the stored row.

    ``request_id`` is the caller's idempotency key: the same id with the same content gives the first
    result again. Leave it None where a repeated call may write again.
    """

    user_id: str
    tenant_code: str
    source_ip: str = ""
    request_id: str | None = None
