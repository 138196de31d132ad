"""Normalises values of properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain_property(value: Any) -> Any:
    """A value with whole numbers as ints, at any depth (Pulumi properties have one number type, so they arrive as
    floats), and without unset members.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: plain_property(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [plain_property(one) for one in value]
    return value
