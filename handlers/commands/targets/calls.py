"""Error handling shared by the calls to all target services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from handlers.commands.targets.port import TargetRefused
from handlers.core.aws.errors import CALL_ERRORS, reason_of


@contextmanager
def calling(arn: str) -> Iterator[None]:
    """Convert errors of a call to the target into the port's errors."""
    try:
        yield
    except CALL_ERRORS as error:
        raise reason_of(error, arn, TargetRefused) from error
