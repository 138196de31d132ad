"""EventBridge rules: patterns for events of the default bus, and rate schedules, with functions as targets."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from local.journal import Journal
from local.scheduler import Scheduler, Timer
from local.sources.async_calls import AsyncCaller
from local.sources.filters import Pattern

#: Kind of journal rows: rule to the time at which its schedule is due.
KIND = "schedule"
_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_SECONDS = {"minute": 60, "hour": 3600, "day": 86400}
#: Statuses that Step Functions reports to EventBridge (Developer Guide, "Automating Step Functions event delivery").
STATUSES = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class RuleError(ValueError):
    """A rule isn't supported; the text names its value and what is allowed."""


@dataclass(frozen=True)
class Target:
    """A function that a rule calls; ``input`` (parsed JSON) replaces the event if given."""

    function: str
    input: Any = None


@dataclass
class Rule:
    """A rule with its targets. Exactly one of ``pattern`` (JSON text) and ``schedule`` (``rate(...)``) is set."""

    name: str
    arn: str
    pattern: str | None = None
    schedule: str | None = None
    enabled: bool = True
    targets: list[Target] = field(default_factory=list)


def rate_seconds(schedule: str) -> int:
    """Seconds of ``rate(5 minutes)`` (EventBridge User Guide, "Setting a schedule pattern for scheduled rules").

    Raises:
        RuleError: anything else, including ``cron(...)``.
    """
    match = _RATE.fullmatch(schedule.strip())
    if match is None or int(match[1]) < 1:
        raise RuleError(
            f"schedule {schedule!r} is not supported; allowed: rate(n minutes), rate(n hours), rate(n days)"
        )
    count, unit = int(match[1]), match[2]
    if (count == 1) == unit.endswith("s"):
        raise RuleError(f"schedule {schedule!r}: EventBridge needs the singular for 1 and the plural above")
    return count * _SECONDS[unit.rstrip("s")]


class EventBus:
    """The default event bus: matches events and runs schedules.

    Schedules are background timers, so they don't keep a virtual run alive.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        caller: AsyncCaller,
        *,
        region: str,
        account_id: str,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal
        #: rule to the time at which its schedule is due, from the previous process
        self._due: dict[str, float] = {} if journal is None else {row.key: row.value for row in journal.rows(KIND)}
        self._scheduler = scheduler
        self._caller = caller
        self._region = region
        self._account_id = account_id
        self._patterns: list[tuple[Rule, Pattern]] = []
        self._timers: dict[str, Timer] = {}
        #: rules with a timer
        self._scheduled: dict[str, Rule] = {}
        self._events = 0

    def add(self, rule: Rule) -> None:
        """Start a rule.

        Raises:
            RuleError: neither or both of pattern and schedule, or an unknown schedule.
            PatternError: the pattern is invalid.
        """
        if (rule.pattern is None) == (rule.schedule is None):
            raise RuleError(f"rule {rule.name!r} needs either an event pattern or a schedule")
        if rule.pattern is not None:
            compiled = Pattern(rule.pattern, nested_anything_but=True)
            if rule.enabled:
                self._patterns.append((rule, compiled))
        elif rule.schedule is not None:
            seconds = rate_seconds(rule.schedule)
            if rule.enabled:
                self._plan(rule, seconds)

    def change(self, rules: Sequence[Rule]) -> None:
        """Run exactly these rules. The timer of an unchanged schedule continues.

        Raises:
            RuleError, PatternError: as for ``add``.
        """
        same = {rule.name for rule in rules if self._scheduled.get(rule.name) is rule}
        for name in set(self._scheduled) - same:
            del self._scheduled[name]
            self._timers.pop(name).cancel()
        self._patterns = []  # a new list: other threads iterate over the old one
        for rule in rules:
            if rule.name not in same:
                self.add(rule)

    def publish(self, event: Mapping[str, Any]) -> None:
        """Deliver a complete event to the targets of every matching rule. Thread-safe."""
        for rule, pattern in self._patterns:
            if pattern.matches(event):
                self._deliver(rule, event)

    def execution_status_changed(self, execution: Mapping[str, Any]) -> None:
        """Publish "Step Functions Execution Status Change" for one execution.

        Args:
            execution: as DescribeExecution returns it (``executionArn``, ``stateMachineArn``, ``name``, ``status``,
                ``startDate``, ``stopDate``, ``input``, ``output``, ``error``, ``cause``); dates in epoch seconds.
        """
        self.publish(
            self._envelope(
                "aws.states",
                "Step Functions Execution Status Change",
                [execution["executionArn"]],
                execution_detail(execution),
            )
        )

    def stop(self) -> None:
        """Remove all rules."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._scheduled.clear()
        self._patterns.clear()

    def _plan(self, rule: Rule, seconds: int) -> None:
        def fire() -> None:
            self._plan(rule, seconds)
            self._deliver(rule, self._envelope("aws.events", "Scheduled Event", [rule.arn], {}))

        now = self._scheduler.now()
        due = self._due.pop(rule.name, now + seconds)
        wait = max(min(due - now, seconds), 0.0)
        self._scheduled[rule.name] = rule
        self._timers[rule.name] = self._scheduler.call_later(wait, fire, background=True)
        if self._journal is not None:
            self._journal.put(KIND, rule.name, due)

    def _deliver(self, rule: Rule, event: Mapping[str, Any]) -> None:
        for target in rule.targets:
            self._caller.call(target.function, event if target.input is None else target.input)

    def _envelope(
        self, source: str, detail_type: str, resources: list[str], detail: Mapping[str, Any]
    ) -> dict[str, Any]:
        """An event in EventBridge's format (User Guide, "Events in Amazon EventBridge": event structure)."""
        self._events += 1
        name = json.dumps([self._events, source, detail_type, resources])
        return {
            "version": "0",
            "id": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
            "detail-type": detail_type,
            "source": source,
            "account": self._account_id,
            "time": datetime.fromtimestamp(self._scheduler.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": resources,
            "detail": dict(detail),
        }


def execution_detail(execution: Mapping[str, Any]) -> dict[str, Any]:
    """The ``detail`` of a status change: the same information as DescribeExecution, dates in epoch milliseconds.

    Source: Step Functions Developer Guide, "EventBridge events for Step Functions execution status changes".

    Raises:
        ValueError: a status that isn't sent.
    """
    if execution["status"] not in STATUSES:
        raise ValueError(f"execution status {execution['status']!r}; known: {', '.join(STATUSES)}")
    output = execution.get("output")
    return {
        "executionArn": execution["executionArn"],
        "stateMachineArn": execution["stateMachineArn"],
        "name": execution["name"],
        "status": execution["status"],
        "startDate": _milliseconds(execution["startDate"]),
        "stopDate": _milliseconds(execution.get("stopDate")),
        "input": execution.get("input"),
        "inputDetails": {"included": True},
        "output": output,
        "outputDetails": None if output is None else {"included": True},
        "error": execution.get("error"),
        "cause": execution.get("cause"),
    }


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds * 1000)
