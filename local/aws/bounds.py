"""Bounds for what moto keeps for ever: a deployment that runs for days must not grow with every call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.common_models import BaseModel


@contextmanager
def untracked_models() -> Iterator[None]:
    """moto lists every item, message and object that was ever made, for its dashboard; meanwhile it doesn't."""
    tracked = BaseModel.__new__

    def untracked(cls: type[BaseModel], *_: Any, **__: Any) -> Any:
        return object.__new__(cls)

    BaseModel.__new__ = staticmethod(untracked)
    try:
        yield
    finally:
        BaseModel.__new__ = tracked
