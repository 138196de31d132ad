"""Bounds for what moto keeps for ever: a deployment that runs for days must not grow with every call."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.core.common_models import BaseModel
from moto.sns.models import SNSBackend, Topic

#: Notifications that a topic remembers, for people who look into moto.
REMEMBERED_NOTIFICATIONS = 100


class LocalSns(SNSBackend):  # type: ignore[misc]  # moto has no types that mypy can follow
    """The topics of one region. moto keeps every notification that was ever sent."""

    def create_topic(self, *args: Any, **kwargs: Any) -> Topic:
        """moto's."""
        topic = super().create_topic(*args, **kwargs)
        topic.sent_notifications = deque(topic.sent_notifications, maxlen=REMEMBERED_NOTIFICATIONS)
        return topic


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
