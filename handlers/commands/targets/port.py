"""The port to a target in another project, which accepts deliveries of one command each."""

from __future__ import annotations

from typing import Protocol

from handlers.core.errors import CqrsError, Nature
from handlers.core.light_dataclasses import dataclass


class TargetRefused(CqrsError):
    """The target's service refused the delivery permanently."""


class RemoteTargetError(CqrsError):
    """A target that runs code (a Lambda function) failed. Raised as a subclass with the name of the remote error."""

    nature = Nature.UNKNOWN


@dataclass(frozen=True)
class Delivery:
    """One command for one target.

    ``text`` is the message as JSON; ``group`` and ``deduplication`` are the ids for FIFO queues and topics;
    ``action`` and ``type`` are sent as message attributes, so that subscribers can filter.
    """

    text: str
    action: str
    type: str
    group: str
    deduplication: str


class RemoteTarget(Protocol):
    """One target."""

    def deliver(self, delivery: Delivery) -> None:
        """Deliver, and return once the target has accepted it: at least once, in the order of the calls.

        Raises:
            TransientError: a retry may work.
            TargetRefused, RemoteTargetError: a retry won't.
        """
        ...
