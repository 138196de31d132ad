"""Secrets by the names that configuration gives them; never in an environment variable, a row or a log."""

from __future__ import annotations

from typing import Protocol

from handlers.core.errors import CqrsError, Nature


class SecretUnavailable(CqrsError):
    """The service refused the secret, and would refuse it again. Names it, never its value."""

    nature = Nature.MISCONFIGURED


class Secrets(Protocol):
    """Values by name. ``repr`` shows the names alone."""

    def get(self, name: str) -> str:
        """The value, read when it is first asked for and kept for a bounded time.

        Raises:
            ValidationError: the stack has no secret of that name; names those that it has.
            SecretUnavailable: it can't be read: missing, no right, or not text.
            TransientError: a later try may work.
        """
        ...
