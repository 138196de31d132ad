"""Alarms and the dashboard: everything that runs is watched, and by what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract.metrics import OLDEST_OPEN_COMMAND
from tests.support.evaluation import TUNED, Evaluation, evaluated

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
MACHINE = "aws:sfn/stateMachine:StateMachine"
FUNCTION = "aws:lambda/function:Function"
QUEUE = "aws:sqs/queue:Queue"
RULE = "aws:cloudwatch/eventRule:EventRule"
MACHINES = "arn:aws:states:us-east-1:123456789012:stateMachine:"
OF_MACHINES = {
    "ExecutionsFailed",
    "ExecutionsTimedOut",
    "ExecutionsAborted",
    "ExecutionThrottled",
    "ExecutionTime",
    "FailureRate",
}


def dead_letter_queues(evaluation: Evaluation) -> set[str]:
    return {name for name, props in evaluation.of_type(QUEUE).items() if "redrivePolicy" not in props}


def test_everything_that_runs_is_watched(stack: Evaluation) -> None:
    expected = {f"{machine}-{metric}" for machine in stack.of_type(MACHINE) for metric in OF_MACHINES}
    expected |= {f"{function}-{metric}" for function in stack.of_type(FUNCTION) for metric in ("Errors", "Throttles")}
    expected |= {f"{queue}-ApproximateNumberOfMessagesVisible" for queue in dead_letter_queues(stack)}
    expected |= {f"{function}-IteratorAge" for function in ("apply", "events", "imports", "loader", "outcomes")}
    expected |= {
        f"{queue}-ApproximateAgeOfOldestMessage" for queue in set(stack.of_type(QUEUE)) - dead_letter_queues(stack)
    }
    expected |= {f"{rule}-FailedInvocations" for rule in stack.of_type(RULE)}
    expected |= {"api-5xx", "api-Latency"}
    expected |= {f"commands-{OLDEST_OPEN_COMMAND}"}
    assert set(stack.of_type(ALARM)) == expected


def test_every_alarm_reaches_the_topic_and_silence_is_no_alarm(stack: Evaluation) -> None:
    for name, props in stack.of_type(ALARM).items():
        assert props["alarmActions"] == [stack.outputs["alarmTopicArn"]], name
        assert props["treatMissingData"] == "notBreaching", name
        assert props["comparisonOperator"] == "GreaterThanOrEqualToThreshold", name
        assert props["threshold"] >= 1, name


def test_an_alarm_on_a_count(dev: Evaluation) -> None:
    assert dev.get(ALARM, "command-handler-ExecutionsTimedOut") == {
        "name": "cqrs-dev-command-handler-ExecutionsTimedOut",
        "namespace": "AWS/States",
        "metricName": "ExecutionsTimedOut",
        "dimensions": {
            "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:cqrs-dev-command-handler"
        },
        "statistic": "Sum",
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "threshold": 1,
        "period": 300,
        "evaluationPeriods": 1,
        "treatMissingData": "notBreaching",
        "alarmActions": ["arn:aws:sns:us-east-1:123456789012:cqrs-dev-alarm-topic"],
        "tags": {"project": "cqrs", "stack": "dev"},
    }


def test_a_percentile_has_no_plain_statistic(dev: Evaluation) -> None:
    props = dev.get(ALARM, "command-handler-ExecutionTime")
    assert (props["extendedStatistic"], props["threshold"]) == ("p99", 900_000)
    assert "statistic" not in props


def test_the_failure_rate_is_of_the_machines_own_executions(dev: Evaluation) -> None:
    props = dev.get(ALARM, "command-handler-express-FailureRate")
    arn = f"{MACHINES}cqrs-dev-command-handler-express"

    def of(metric: str) -> dict[str, Any]:
        return {
            "namespace": "AWS/States",
            "metricName": metric,
            "dimensions": {"StateMachineArn": arn},
            "period": 300,
            "stat": "Sum",
        }

    assert props["metricQueries"] == [
        {
            "id": "rate",
            "expression": "IF(FILL(started, 0) > 0, 100 * FILL(failed, 0) / FILL(started, 0), "
            "IF(FILL(failed, 0) > 0, 100, 0))",
            "returnData": True,
        },
        {"id": "started", "metric": of("ExecutionsStarted")},
        {"id": "failed", "metric": of("ExecutionsFailed")},
    ]
    assert not {"metricName", "namespace", "statistic", "period"} & set(props)


def test_rules_and_queues_are_watched_by_their_own_names(stack: Evaluation) -> None:
    for name, props in stack.of_type(RULE).items():
        alarm = stack.get(ALARM, f"{name}-FailedInvocations")
        assert (alarm["namespace"], alarm["dimensions"]) == ("AWS/Events", {"RuleName": props["name"]})
    for name in ("import-action-queue", "notification-queue", "task-action-queue"):
        alarm = stack.get(ALARM, f"{name}-ApproximateAgeOfOldestMessage")
        assert alarm["dimensions"] == {"QueueName": stack.get(QUEUE, name)["name"]}
        assert (alarm["statistic"], alarm["threshold"]) == ("Maximum", 3600)


@pytest.fixture(scope="module")
def tuned() -> Evaluation:
    thresholds = {
        "alarmFailedExecutions": "7",
        "alarmFailureRatePercent": "20",
        "alarmExecutionSeconds": "60",
        "alarmIteratorAgeSeconds": "120",
        "alarmOldestMessageSeconds": "120",
        "alarmOldestOpenCommandSeconds": "1200",
    }
    modules = ["handlers.domain.approval", "handlers.domain.three_steps"]
    return evaluated("dev", {**thresholds, "handlerModules": json.dumps(modules)})


@pytest.mark.parametrize(
    ("alarm", "threshold"),
    [
        ("command-handler-ExecutionsFailed", 7),
        ("command-handler-FailureRate", 20),
        ("command-handler-ExecutionTime", 60_000),
        ("task-handler-ExecutionTime", 900_000),
        # A wait for a person is not slow: as long as the definition allows.
        ("approval-ExecutionTime", 259_200_000),
        ("three_steps-ExecutionTime", 600_000),
        ("events-IteratorAge", 120_000),
        ("import-action-queue-ApproximateAgeOfOldestMessage", 120),
        (f"commands-{OLDEST_OPEN_COMMAND}", 1200),
    ],
)
def test_thresholds_are_configuration(tuned: Evaluation, alarm: str, threshold: int) -> None:
    assert tuned.get(ALARM, alarm)["threshold"] == threshold


def test_a_task_is_slow_after_its_own_timeout() -> None:
    evaluation = evaluated("dev", TUNED)
    assert evaluation.get(ALARM, "task-handler-ExecutionTime")["threshold"] == 3_600_000


def test_a_workflow_that_ends_sooner_is_slow_after_the_configured_time() -> None:
    evaluation = evaluated("dev", {"handlerModules": '["handlers.domain.three_steps"]'})
    assert evaluation.get(ALARM, "three_steps-ExecutionTime")["threshold"] == 900_000


def test_the_sweepers_metric_is_the_one_that_is_watched(dev: Evaluation) -> None:
    props = dev.get(ALARM, f"commands-{OLDEST_OPEN_COMMAND}")
    environment = dev.get(FUNCTION, "sweeper")["environment"]["variables"]
    assert (props["namespace"], props["metricName"]) == (environment["METRIC_NAMESPACE"], OLDEST_OPEN_COMMAND)


def test_the_dashboard_shows_everything_and_fits(stack: Evaluation) -> None:
    props = stack.get("aws:cloudwatch/dashboard:Dashboard", "dashboard")
    assert stack.outputs["dashboardUrl"].endswith(f"#dashboards/dashboard/{props['dashboardName']}")
    widgets = json.loads(props["dashboardBody"])["widgets"]
    shown = {str(part) for widget in widgets for metric in widget["properties"]["metrics"] for part in metric}
    arns = {
        f"arn:aws:states:us-east-1:123456789012:stateMachine:{one['name']}" for one in stack.of_type(MACHINE).values()
    }
    names = {one["name"] for one in stack.of_type(FUNCTION).values()}
    queues = {stack.get(QUEUE, name)["name"] for name in dead_letter_queues(stack)}
    assert arns | names | queues | {OLDEST_OPEN_COMMAND} <= shown
    places = set()
    for widget in widgets:
        assert widget["properties"]["region"] == "us-east-1"
        assert widget["properties"]["metrics"], widget["properties"]["title"]
        assert widget["x"] + widget["width"] <= 24
        places.add((widget["x"], widget["y"]))
    assert len(places) == len(widgets), "two widgets in one place"
