"""Keys of approvals and sagas, in ``tasks``."""

from __future__ import annotations

from handlers.core.key_parts import SEPARATOR, check_part
from handlers.core.keys import MAX_SK_BYTES, check_bytes, partition, two_parts

APPROVAL_KIND = "APPROVAL"
SAGA_KIND = "SAGA"


def approval_partition(tenant_code: str) -> str:
    """Partition key of a tenant's approvals, in ``tasks``."""
    return partition(APPROVAL_KIND, tenant_code)


def approval_prefix(workflow: str) -> str:
    """Prefix of the sort keys of all approvals of a workflow."""
    check_part("workflow", workflow)
    return f"{workflow}{SEPARATOR}"


def approval_sk(workflow: str, request_id: str) -> str:
    """Sort key of one approval."""
    check_part("requestId", request_id)
    sk = f"{approval_prefix(workflow)}{request_id}"
    check_bytes("requestId", sk, MAX_SK_BYTES)
    return sk


def parse_approval_sk(sk: str) -> tuple[str, str]:
    """Workflow and request id."""
    return two_parts("sk", sk, "<workflow>#<requestId>")


def saga_partition(tenant_code: str) -> str:
    """Partition key of a tenant's sagas, in ``tasks``."""
    return partition(SAGA_KIND, tenant_code)
