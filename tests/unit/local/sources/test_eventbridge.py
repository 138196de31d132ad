from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.functions.model import InvokeResult, TooManyRequests
from local.scheduler import Scheduler
from local.sources.async_calls import AsyncCaller, DeadLetter
from local.sources.eventbridge import EventBus, Rule, RuleError, Target, execution_detail, rate_seconds
from local.sources.filters import PatternError
from tests.unit.local.sources.fakes import FakeFunction, shape

FIXTURES = Path(__file__).parents[3] / "fixtures" / "events"
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:command-handler"
RULE_ARN = "arn:aws:events:eu-west-1:123456789012:rule/failed"


def execution(status: str = "FAILED", machine: str = MACHINE) -> dict[str, Any]:
    return {
        "executionArn": machine.replace("stateMachine", "execution") + ":e1",
        "stateMachineArn": machine,
        "name": "e1",
        "status": status,
        "startDate": 1551225146.847,
        "stopDate": None if status == "RUNNING" else 1551225151.881,
        "input": "{}",
        "output": '"Hello World!"' if status == "SUCCEEDED" else None,
        "error": "VersionGap" if status == "FAILED" else None,
        "cause": "version 1 is missing" if status == "FAILED" else None,
    }


class Bench:
    def __init__(self, invoker: Any = None) -> None:
        self.scheduler = Scheduler.virtual()
        self.function = invoker or FakeFunction(lambda event: None)
        self.dead: list[DeadLetter] = []
        self.bus = EventBus(
            self.scheduler,
            AsyncCaller(self.scheduler, self.function, self.dead.append),
            region="eu-west-1",
            account_id="123456789012",
        )

    def rule(self, **given: Any) -> Rule:
        return Rule(name="failed", arn=RULE_ARN, targets=[Target("events")], **given)


def failures() -> str:
    return json.dumps(
        {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"status": ["FAILED", "TIMED_OUT", "ABORTED"], "stateMachineArn": [MACHINE]},
        }
    )


def test_rule_sees_the_failed_executions_of_its_machine_only() -> None:
    bench = Bench()
    bench.bus.add(bench.rule(pattern=failures()))
    for status in ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"):
        bench.bus.execution_status_changed(execution(status))
    bench.bus.execution_status_changed(execution("FAILED", MACHINE + "-other"))
    bench.scheduler.run_until_idle()
    assert [event["detail"]["status"] for event in bench.function.events] == ["FAILED", "TIMED_OUT", "ABORTED"]


@pytest.mark.parametrize("index", range(5))
def test_event_has_the_documented_shape(index: int) -> None:
    documented = json.loads((FIXTURES / "execution_status_change.json").read_text())["events"][index]
    bench = Bench()
    bench.bus.add(bench.rule(pattern='{"source": ["aws.states"]}'))
    bench.bus.execution_status_changed(execution(documented["detail"]["status"]))
    bench.scheduler.run_until_idle()
    event = bench.function.events[0]
    newer = {"inputDetails", "outputDetails", "error", "cause"}
    assert set(event["detail"]) - set(documented["detail"]) == newer
    event["detail"] = {name: value for name, value in event["detail"].items() if name not in newer}
    assert shape(event) == shape(documented)
    assert event["resources"] == [event["detail"]["executionArn"]]


def test_dates_are_milliseconds() -> None:
    detail = execution_detail(execution())
    assert (detail["startDate"], detail["stopDate"]) == (1551225146847, 1551225151881)


def test_unknown_status_is_refused() -> None:
    with pytest.raises(ValueError, match="PENDING_REDRIVE"):
        execution_detail(execution("PENDING_REDRIVE"))


def test_event_ids_differ_and_repeat_in_a_second_run() -> None:
    def run() -> list[str]:
        bench = Bench()
        bench.bus.add(bench.rule(pattern='{"source": ["aws.states"]}'))
        for _ in range(3):
            bench.bus.execution_status_changed(execution())
        bench.scheduler.run_until_idle()
        return [event["id"] for event in bench.function.events]

    assert run() == run()
    assert len(set(run())) == 3


def test_changed_rules_run_and_a_schedule_that_stays_goes_on_counting() -> None:
    bench = Bench()
    sweep = Rule("sweep", f"{RULE_ARN}-sweep", schedule="rate(5 minutes)", targets=[Target("sweeper")])
    gone = Rule("gone", f"{RULE_ARN}-gone", schedule="rate(1 minute)", targets=[Target("nobody")])
    bench.bus.change([bench.rule(pattern='{"source": ["aws.states"]}'), sweep, gone])
    bench.scheduler.run_for(4 * 60 + 30)
    before = len(bench.function.events)
    assert before == 4
    bench.bus.change([bench.rule(pattern=failures()), sweep])
    bench.bus.execution_status_changed(execution("RUNNING"))
    bench.bus.execution_status_changed(execution("FAILED"))
    bench.scheduler.run_for(60)
    assert [one["detail-type"] for one in bench.function.events[before:]] == [
        "Step Functions Execution Status Change",
        "Scheduled Event",
    ]
    bench.bus.stop()


def test_schedule_fires_in_the_background() -> None:
    bench = Bench()
    bench.bus.add(bench.rule(schedule="rate(5 minutes)"))
    bench.scheduler.run_until_idle()
    assert bench.function.events == []
    bench.scheduler.run_for(15 * 60 + 1)
    assert len(bench.function.events) == 3
    event = bench.function.events[0]
    assert (event["source"], event["detail-type"], event["resources"]) == ("aws.events", "Scheduled Event", [RULE_ARN])
    assert event["time"] == "2026-01-01T00:05:00Z"
    bench.bus.stop()
    bench.scheduler.run_for(600)
    assert len(bench.function.events) == 3


def test_target_input_replaces_the_event() -> None:
    bench = Bench()
    rule = Rule("r", RULE_ARN, schedule="rate(1 hour)", targets=[Target("sweeper", {"reason": "schedule"})])
    bench.bus.add(rule)
    bench.scheduler.run_for(3601)
    assert bench.function.events == [{"reason": "schedule"}]


def test_disabled_rules_do_nothing() -> None:
    bench = Bench()
    bench.bus.add(bench.rule(schedule="rate(1 minute)", enabled=False))
    bench.bus.add(bench.rule(pattern='{"source": ["aws.states"]}', enabled=False))
    bench.bus.execution_status_changed(execution())
    bench.scheduler.run_for(600)
    assert bench.function.events == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 hours)", 7200), ("rate(1 day)", 86400)],
)
def test_rates(text: str, seconds: int) -> None:
    assert rate_seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["cron(0 12 * * ? *)", "rate(0 minutes)", "rate(1 minutes)", "rate(5 minute)", "rate(5 weeks)", "5 minutes"]
)
def test_other_schedules_are_refused_by_name(text: str) -> None:
    with pytest.raises(RuleError) as caught:
        Bench().bus.add(Bench().rule(schedule=text))
    assert repr(text) in str(caught.value)


def test_rule_needs_one_of_pattern_and_schedule() -> None:
    bench = Bench()
    with pytest.raises(RuleError, match="needs either an event pattern or a schedule"):
        bench.bus.add(bench.rule())
    with pytest.raises(PatternError, match="unknown operator 'wildcard'"):
        bench.bus.add(bench.rule(pattern='{"source": [{"wildcard": "aws.*"}]}'))


def test_failed_event_is_tried_three_times_and_reported() -> None:
    def body(event: dict[str, Any]) -> None:
        raise ValueError("no")

    bench = Bench(FakeFunction(body))
    bench.bus.add(bench.rule(pattern='{"source": ["aws.states"]}'))
    start = bench.scheduler.now()
    bench.bus.execution_status_changed(execution())
    bench.scheduler.run_until_idle()
    assert len(bench.function.events) == 3
    assert bench.scheduler.now() - start == 60 + 120
    assert [(letter.function, letter.attempts) for letter in bench.dead] == [("events", 3)]


class Busy:
    def __init__(self, times: int) -> None:
        self.left = times
        self.events: list[Any] = []

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        if self.left:
            self.left -= 1
            raise TooManyRequests("busy")
        self.events.append(payload)
        return InvokeResult(None, None, "r")


def test_throttled_events_wait_and_get_through_or_expire_after_six_hours() -> None:
    patient = Bench(Busy(5))
    patient.bus.add(patient.rule(pattern='{"source": ["aws.states"]}'))
    patient.bus.execution_status_changed(execution())
    patient.scheduler.run_until_idle()
    assert len(patient.function.events) == 1
    lost = Bench(Busy(10_000))
    lost.bus.add(lost.rule(pattern='{"source": ["aws.states"]}'))
    start = lost.scheduler.now()
    lost.bus.execution_status_changed(execution())
    lost.scheduler.run_until_idle()
    assert lost.dead[0].attempts == 0
    assert 6 * 3600 <= lost.scheduler.now() - start <= 6 * 3600 + 300
