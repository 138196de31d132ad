"""Logical names of the resources that permissions refer to, and their ARNs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

#: Resource (a name made by the functions below) to the actions allowed on it.
Grants = Mapping[str, tuple[str, ...]]

EVENT_BUS = "bus:events"
#: All alarms of the account and region: listing alarms by prefix needs no less (AWS's error names the resource:
#: "cloudwatch:DescribeAlarms on resource: arn:aws:cloudwatch:<region>:<account>:alarm:*").
ALARMS = "alarms"


def table(name: str) -> str:
    """A table's rows."""
    return f"table:{name}"


def stream(name: str) -> str:
    """A table's stream."""
    return f"stream:{name}"


def open_index(name: str) -> str:
    """A table's index of rows without an outcome."""
    return f"index:{name}"


def objects(prefix: str) -> str:
    """The bucket's objects under a prefix."""
    return f"objects:{prefix}"


def topic(name: str) -> str:
    """A topic."""
    return f"topic:{name}"


def queue(name: str) -> str:
    """A queue, of messages or of dead letters."""
    return f"queue:{name}"


def machine(name: str) -> str:
    """A state machine, including the task tokens of its executions."""
    return f"machine:{name}"


def executions(name: str) -> str:
    """The executions of a STANDARD machine."""
    return f"executions:{name}"


@dataclass(frozen=True)
class Resources:
    """ARNs by these names. ``key``: ARN of the KMS key, None for AWS's own keys."""

    arns: Mapping[str, pulumi.Input[str]]
    key: pulumi.Input[str] | None = None

    def arn_of(self, name: str) -> pulumi.Input[str]:
        """The ARN of a resource. Raises KeyError for a name that the stack doesn't have."""
        return self.arns[name]
