"""Values of properties as the program gave them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain_property(value: Any) -> Any:
    """Numbers arrive as floats (Pulumi properties have one number type): whole ones become ints, at any depth; members
    that are not set are left out.
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: plain_property(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [plain_property(one) for one in value]
    return value
