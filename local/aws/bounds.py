"""Bounds what moto keeps forever and caches what it computes for each call, since a deployment may run for days."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any

from moto.core import responses, utils
from moto.core.common_models import BaseModel
from moto.dynamodb.models.dynamo_type import DynamoType


@contextmanager
def untracked_models() -> Iterator[None]:
    """Inside, moto doesn't track every item, message and object ever created, which it does for its dashboard."""
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
    """Inside, moto caches the methods of a service's class, the converted names of calls, and the start of the epoch,
    which it computes for each look at the clock.
    """
    before = responses.method_names_from_class, responses.camelcase_to_underscores
    responses.method_names_from_class, responses.camelcase_to_underscores = map(cache, before)
    from_timestamp = utils.utcfromtimestamp
    utils.utcfromtimestamp = lru_cache(maxsize=16)(from_timestamp)
    try:
        yield
    finally:
        responses.method_names_from_class, responses.camelcase_to_underscores = before
        utils.utcfromtimestamp = from_timestamp


@contextmanager
def quick_keys() -> Iterator[None]:
    """Inside, moto's values of text, as nearly all keys are, are hashed and compared as text; moto asks each of them
    whether it is a number, a set, a list, a map or NULL, each time.
    """
    before = DynamoType.__hash__, DynamoType.__eq__

    def hash_of(value: DynamoType) -> int:
        return hash(("S", value.value)) if value.type == "S" else before[0](value)

    def equals(value: DynamoType, other: DynamoType) -> bool:
        if value.type == other.type == "S":
            return bool(value.value == other.value)
        return bool(before[1](value, other))

    DynamoType.__hash__, DynamoType.__eq__ = hash_of, equals
    try:
        yield
    finally:
        DynamoType.__hash__, DynamoType.__eq__ = before


#: Allocations between two collections of cycles; Python's default is 700. The runtime's objects rarely have cycles.
COLLECT_AFTER = 20_000


@contextmanager
def rarer_collections() -> Iterator[None]:
    """Inside, Python collects young objects less often, which took a sixth of the time and freed almost nothing."""
    before = gc.get_threshold()
    gc.set_threshold(max(COLLECT_AFTER, before[0]) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
