"""What moto keeps forever, and what it computes again for each call: a deployment may run for days."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from moto.core import responses
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


@contextmanager
def remembered_methods() -> Iterator[None]:
    """moto lists the methods of a service's class, and makes a call's name one, again for each call; meanwhile it
    remembers them.
    """
    before = responses.method_names_from_class, responses.camelcase_to_underscores
    responses.method_names_from_class, responses.camelcase_to_underscores = map(cache, before)
    try:
        yield
    finally:
        responses.method_names_from_class, responses.camelcase_to_underscores = before


#: Allocations between two looks for cycles; Python's own is 700. Nearly all that the runtime makes has none.
COLLECT_AFTER = 20_000


@contextmanager
def rarer_collections() -> Iterator[None]:
    """Python looks through young objects less often: it took a sixth of the time, and found next to nothing."""
    before = gc.get_threshold()
    gc.set_threshold(max(COLLECT_AFTER, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
