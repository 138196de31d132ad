"""Waiting for an outcome by asking for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cqrs_client.errors import WaitTimeout
from cqrs_client.transport import Transport

T = TypeVar("T")
#: Seconds between two looks: the first, how they grow, the longest.
FIRST, GROWTH, LONGEST = 0.2, 1.5, 5.0


def until(transport: Transport, look: Callable[[], T], is_over: Callable[[T], bool], timeout: float, what: str) -> T:
    """What ``look`` gives once it is over. Raises WaitTimeout with what was seen last."""
    end = transport.monotonic() + timeout
    pause = FIRST
    while True:
        seen = look()
        if is_over(seen):
            return seen
        left = end - transport.monotonic()
        if left <= 0:
            raise WaitTimeout(f"{what} has no outcome after {timeout:g} s", seen)
        transport.sleep(min(pause, left))
        pause = min(pause * GROWTH, LONGEST)
