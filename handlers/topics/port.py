"""The topic port: one bound topic, a JSON message and string attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from handlers.core.errors import CqrsError, ValidationError
from handlers.core.light_dataclasses import dataclass

#: Limit of a message with its attributes, and of all messages of one call (SNS API reference, Publish and PublishBatch:
#: 256 KiB unless the topic's MaximumMessageSize is raised).
MAX_BYTES = 256 * 1024


class MessageRefused(CqrsError):
    """The service accepted the call but not this message."""


@dataclass(frozen=True)
class Notice:
    """A message and its attributes."""

    message: Mapping[str, Any]
    attributes: Mapping[str, str]


class Topic(Protocol):
    """One topic."""

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """Send a message. Raises ``TransientError`` if a retry may work."""
        ...

    def publish_many(self, notices: Sequence[Notice]) -> dict[int, Exception]:
        """Send messages in order, with as few calls as the service allows.

        Returns:
            Unsent messages: index to the error, a ``TransientError`` if a retry may work. The others are sent; one that
            can't be sent doesn't stop them.
        """
        ...


def too_large(size: int) -> ValidationError:
    """The error for a message that is too large for any call."""
    return ValidationError("message", f"{size} bytes", f"at most {MAX_BYTES} bytes with its attributes")
