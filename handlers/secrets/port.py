"""Secrets by the names that configuration gives them; never in an environment variable, a row or a log."""

from __future__ import annotations

from typing import Protocol

from handlers.core.errors import CqrsError, Nature


class SecretUnavailable(CqrsError):
    """The service refused the secret permanently. The text names it, never its value."""

    nature = Nature.MISCONFIGURED


class Secrets(Protocol):
    """Values by name. ``repr`` shows only the names."""

    def get(self, name: str) -> str:
        """The value, read at first use and cached for a limited time.

        Raises:
            ValidationError: the stack has no secret with that name; the text names the known ones.
            SecretUnavailable: it can't be read: missing, no permission, or not text.
            TransientError: a retry may work.
        """
        ...
