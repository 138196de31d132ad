"""Histories of executions, state by state: names and times, never inputs or outputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from handlers.core.light_dataclasses import dataclass
from handlers.state_machines.stepfunctions import NO_EXECUTION, transient

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.client import SFNClient

#: Events per page, and most pages: a command's execution has some ten events per state (API reference,
#: GetExecutionHistory: at most 1,000 per page).
PAGE_EVENTS, MOST_PAGES = 1_000, 3
RUNNING = "RUNNING"
_ENDS = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}


@dataclass(frozen=True)
class StateVisit:
    """A state that was entered; times in seconds since 1970. ``left`` is None while it is running, and if it failed."""

    name: str
    entered: float
    left: float | None


@dataclass(frozen=True)
class ExecutionHistory:
    """``states``: in the order in which they were entered. ``status``: of the execution."""

    status: str
    started: float
    stopped: float | None
    states: list[StateVisit]


class Histories(Protocol):
    """Reads histories of executions."""

    def of(self, execution_arn: str) -> ExecutionHistory | None:
        """The history of an execution. None: it doesn't exist or has expired, or is EXPRESS, which keeps no history.

        Raises TransientError: a retry may work.
        """
        ...


class StepFunctionsHistories:
    """See ``Histories``. ``client`` returns a client."""

    def __init__(self, client: Callable[[], SFNClient]) -> None:
        self._client = client

    def of(self, execution_arn: str) -> ExecutionHistory | None:
        """See Histories."""
        events: list[Any] = []
        more: dict[str, Any] = {}
        try:
            for _ in range(MOST_PAGES):
                with transient():
                    page = self._client().get_execution_history(
                        executionArn=execution_arn, maxResults=PAGE_EVENTS, includeExecutionData=False, **more
                    )
                events += page["events"]
                if "nextToken" not in page:
                    break
                more = {"nextToken": page["nextToken"]}
        except ClientError as error:
            if error.response["Error"]["Code"] not in NO_EXECUTION:
                raise
            return None
        return _history(events)


def _history(events: list[Any]) -> ExecutionHistory | None:
    """Visits of the same state are assumed to end in order: concurrent iterations of a map can't be distinguished."""
    if not events:
        return None
    visits: list[StateVisit] = []
    status, stopped = RUNNING, None
    for event in events:
        at = event["timestamp"].timestamp()
        if "stateEnteredEventDetails" in event:
            visits.append(StateVisit(event["stateEnteredEventDetails"]["name"], at, None))
        elif "stateExitedEventDetails" in event:
            name = event["stateExitedEventDetails"]["name"]
            place = next((index for index, one in enumerate(visits) if one.name == name and one.left is None), None)
            if place is not None:
                visits[place] = StateVisit(name, visits[place].entered, at)
        elif event["type"] in _ENDS:
            status, stopped = _ENDS[event["type"]], at
    return ExecutionHistory(status, events[0]["timestamp"].timestamp(), stopped, visits)
