"""The HTTP API: roles, and what configuration says of who may call for whom."""

from __future__ import annotations

READER = "reader"
WRITER = "writer"
OPERATOR = "operator"
ROLES = (READER, WRITER, OPERATOR)
#: Writers and operators may read, too.
INCLUDED = {READER: (), WRITER: (READER,), OPERATOR: (READER,)}

#: Of an entry of ``apiTenants``: pattern of an IAM role's or user's ARN to these.
TENANTS = "tenants"
ROLES_OF_TENANTS = "roles"
#: In a pattern: any text; as a tenant: whichever the caller names.
ANY = "*"
#: Where the API takes tokens, signed requests come below this path, which the function takes off.
IAM_PREFIX = "/iam"
#: Which of several tenants that the identity allows.
TENANT_HEADER = "x-cqrs-tenant"
