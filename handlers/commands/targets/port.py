"""The port to a target in another project: it takes deliveries, one command each."""

from __future__ import annotations

from typing import Protocol

from handlers.core.errors import CqrsError, Nature
from handlers.core.light_dataclasses import dataclass


class TargetRefused(CqrsError):
    """The target's service refused the delivery, and would refuse it again."""


class RemoteTargetError(CqrsError):
    """A target that runs code (a Lambda function) failed. A subclass named like its own error is raised."""

    nature = Nature.UNKNOWN


@dataclass(frozen=True)
class Delivery:
    """One command for one target.

    ``text`` is the message as JSON; ``group`` and ``deduplication`` are the ids for FIFO queues and topics;
    ``action`` and ``type`` go along as message attributes, so that subscribers can filter.
    """

    text: str
    action: str
    type: str
    group: str
    deduplication: str


class RemoteTarget(Protocol):
    """One target."""

    def deliver(self, delivery: Delivery) -> None:
        """Hand over and return when the target has it: at least once, in the order of the calls.

        Raises:
            TransientError: a later try may work.
            TargetRefused, RemoteTargetError: it will not.
        """
        ...
