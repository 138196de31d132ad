"""The dashboard: backlogs, state machines, functions and HTTP APIs, one row each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

#: A dashboard is 24 columns wide (CloudWatch API reference, "Dashboard body structure and syntax").
COLUMNS = 24
HEIGHT = 6
PERIOD_SECONDS = 300

EXECUTIONS = ("ExecutionsStarted", "ExecutionsSucceeded", "ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")
Metric = list[Any]


@dataclass(frozen=True)
class Shown:
    """The resources on the dashboard, by short name: machines as ARNs, the others as physical names."""

    machines: Mapping[str, pulumi.Input[str]]
    functions: Mapping[str, pulumi.Input[str]]
    stream_functions: Mapping[str, pulumi.Input[str]]
    dead_letter_queues: Mapping[str, pulumi.Input[str]]
    metric_namespace: str
    oldest_open_command: str
    #: Ids of HTTP APIs.
    apis: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)


def dashboard_body(shown: Shown, region: str) -> dict[str, Any]:
    """The dashboard's body before serialisation; leaves may be outputs."""
    rows = [
        [
            ("Oldest open command (s)", "Maximum", [[shown.metric_namespace, shown.oldest_open_command]]),
            (
                "Age of stream records (ms)",
                "Maximum",
                _of(shown.stream_functions, "AWS/Lambda", ("IteratorAge",), "FunctionName"),
            ),
            (
                "Dead letters",
                "Maximum",
                _of(shown.dead_letter_queues, "AWS/SQS", ("ApproximateNumberOfMessagesVisible",), "QueueName"),
            ),
        ],
        [
            (f"{machine}: executions", "Sum", _of({machine: arn}, "AWS/States", EXECUTIONS, "StateMachineArn"))
            for machine, arn in shown.machines.items()
        ],
        [
            (
                "Execution time (ms)",
                "p99",
                _of(shown.machines, "AWS/States", ("ExecutionTime",), "StateMachineArn"),
            ),
            (
                "Errors and throttles of functions",
                "Sum",
                _of(shown.functions, "AWS/Lambda", ("Errors", "Throttles"), "FunctionName"),
            ),
            (
                "Function time (ms)",
                "p99",
                _of(shown.functions, "AWS/Lambda", ("Duration",), "FunctionName"),
            ),
        ],
    ]
    if shown.apis:
        rows.append(
            [
                ("Requests by HTTP", "Sum", _of(shown.apis, "AWS/ApiGateway", ("Count", "4xx", "5xx"), "ApiId")),
                ("Time of answers (ms)", "p99", _of(shown.apis, "AWS/ApiGateway", ("Latency",), "ApiId")),
            ]
        )
    return {"widgets": [widget for number, row in enumerate(rows) for widget in _row(row, number, region)]}


def _of(
    named: Mapping[str, pulumi.Input[str]],
    namespace: str,
    metrics: Sequence[str],
    dimension: str,
) -> list[Metric]:
    return [
        [namespace, metric, dimension, value, {"label": name if len(metrics) == 1 else f"{name} {metric}"}]
        for name, value in named.items()
        for metric in metrics
    ]


def _row(widgets: Sequence[tuple[str, str, list[Metric]]], number: int, region: str) -> list[dict[str, Any]]:
    width = COLUMNS // len(widgets)
    return [
        {
            "type": "metric",
            "x": column * width,
            "y": number * HEIGHT,
            "width": width,
            "height": HEIGHT,
            "properties": {
                "title": title,
                "region": region,
                "stat": statistic,
                "period": PERIOD_SECONDS,
                "view": "timeSeries",
                "metrics": metrics,
            },
        }
        for column, (title, statistic, metrics) in enumerate(widgets)
    ]
