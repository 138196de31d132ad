"""What the calls of all target services have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from handlers.commands.targets.port import TargetRefused
from handlers.core.aws.errors import CALL_ERRORS, reason_of


@contextmanager
def calling(arn: str) -> Iterator[None]:
    """Turn the errors of a call to the target into the port's."""
    try:
        yield
    except CALL_ERRORS as error:
        raise reason_of(error, arn, TargetRefused) from error
