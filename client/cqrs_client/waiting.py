"""Waiting for an outcome by polling."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cqrs_client.errors import WaitTimeout
from cqrs_client.transport import Transport

T = TypeVar("T")
#: Pauses between polls: the first (seconds), the growth factor, the longest (seconds).
FIRST, GROWTH, LONGEST = 0.2, 1.5, 5.0


def until(transport: Transport, look: Callable[[], T], is_over: Callable[[T], bool], timeout: float, what: str) -> T:
    """Poll ``look`` until ``is_over``, and return its result. Raises WaitTimeout with the latest result."""
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
