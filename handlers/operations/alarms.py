"""The stack's CloudWatch alarms and their states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from typing import TYPE_CHECKING, Any, Protocol

from handlers.core.aws.errors import CALL_ERRORS, reason_of
from handlers.core.errors import CqrsError, TransientError
from handlers.core.light_dataclasses import dataclass

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient

#: Alarms per page, and most pages: a stack has some sixty, plus a few per workflow (API reference, DescribeAlarms: at
#: most 100 per page).
PAGE_ALARMS, MOST_PAGES = 100, 10
RAISED = "ALARM"


@dataclass(frozen=True)
class AlarmState:
    """An alarm. ``state``: ``ALARM``, ``OK`` or ``INSUFFICIENT_DATA``; ``since``: in seconds since 1970, None if it was
    never evaluated.
    """

    name: str
    state: str
    reason: str
    since: float | None


class Alarms(Protocol):
    """Lists the stack's alarms."""

    def all(self) -> list[AlarmState]:
        """All alarms, raised ones first, then by name.

        Raises TransientError: a retry may work.
        """
        ...


class CloudWatchAlarms:
    """See ``Alarms``: those that notify the alarm topic, so that stacks with similar names aren't mixed up.

    ``client`` returns a client.
    """

    def __init__(self, client: Callable[[], CloudWatchClient], topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def all(self) -> list[AlarmState]:
        """See Alarms."""
        found = [_state_of(one) for one in self._described() if self._topic_arn in one.get("AlarmActions", [])]
        return sorted(found, key=lambda one: (one.state != RAISED, one.name))

    def _described(self) -> Iterator[Any]:
        more: dict[str, Any] = {}
        for _ in range(MOST_PAGES):
            try:
                page = self._client().describe_alarms(
                    ActionPrefix=self._topic_arn, AlarmTypes=["MetricAlarm"], MaxRecords=PAGE_ALARMS, **more
                )
            except CALL_ERRORS as error:
                reason = reason_of(error, "CloudWatch", CqrsError)
                if isinstance(reason, TransientError):
                    raise reason from error
                raise
            yield from page["MetricAlarms"]
            if "NextToken" not in page:
                return
            more = {"NextToken": page["NextToken"]}


def _state_of(alarm: Any) -> AlarmState:
    changed = alarm.get("StateUpdatedTimestamp")
    since = None if changed is None else changed.replace(tzinfo=changed.tzinfo or UTC).timestamp()
    return AlarmState(alarm["AlarmName"], alarm["StateValue"], alarm.get("StateReason", ""), since)
