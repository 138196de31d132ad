"""Names of attributes: ``snake_case`` in Python, ``camelCase`` in tables and messages."""

from __future__ import annotations


def to_stored_name(python_name: str) -> str:
    """``tenant_code`` to ``tenantCode``."""
    first, *rest = python_name.split("_")
    return first + "".join(part.capitalize() for part in rest)
