"""The HTTP API: roles, and the configuration of who may call for which tenant."""

from __future__ import annotations

READER = "reader"
WRITER = "writer"
OPERATOR = "operator"
ROLES = (READER, WRITER, OPERATOR)
#: Role to the roles that it implies: writers and operators may also read.
INCLUDED = {READER: (), WRITER: (READER,), OPERATOR: (READER,)}

#: Fields of an entry of ``apiTenants``, whose key is a pattern of an IAM role's or user's ARN.
TENANTS = "tenants"
ROLES_OF_TENANTS = "roles"
#: In a pattern: any text; as a tenant: any that the caller names.
ANY = "*"
#: If the API accepts tokens, signed requests use this path prefix, which the function strips.
IAM_PREFIX = "/iam"
#: Selects one of several tenants that the identity allows.
TENANT_HEADER = "x-cqrs-tenant"
