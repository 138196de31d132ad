"""The caller's context, which every public call takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.core.key_parts import check_new_part
from handlers.core.keys import MAX_REQUEST_ID_CHARS, request_sk
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.arguments import instance
from handlers.core.values.json_values import check_text

MAX_USER_CHARS = 1_000
#: Enough for a list of addresses that proxies add (X-Forwarded-For).
MAX_IP_CHARS = 1_000


@dataclass(frozen=True)
class InvokeContext:
    """The caller of a public operation; workers restore it from the stored row.

    ``user_id``: text; "" if unknown, never None. ``request_id`` is the caller's idempotency key: the same id with the
    same content returns the first result again. Leave it None if a repeated call may write again.
    """

    user_id: str
    tenant_code: str
    source_ip: str = ""
    request_id: str | None = None

    def checked(self) -> InvokeContext:
        """Return a validated copy with values as stored: public calls that write begin with this.

        Raises:
            ValidationError: naming ``userId``, ``tenantCode``, ``sourceIp`` or ``requestId``.
        """
        if self.request_id is not None:
            request_sk(self.request_id)
        return InvokeContext(
            check_text("userId", self.user_id, MAX_USER_CHARS),
            check_new_part("tenantCode", self.tenant_code),
            check_text("sourceIp", self.source_ip, MAX_IP_CHARS),
            None if self.request_id is None else check_text("requestId", self.request_id, MAX_REQUEST_ID_CHARS),
        )


def caller(context: object) -> InvokeContext:
    """Validate the context of a public operation. Raises ValidationError: it isn't an InvokeContext."""
    return instance("context", context, InvokeContext)


def restored_context(row: Mapping[str, Any], request_id: str | None) -> InvokeContext:
    """The creator of a stored row; fields that the row lacks are unknown."""
    return InvokeContext(row.get("createdBy", ""), row["tenantCode"], row.get("createdIp", ""), request_id)
