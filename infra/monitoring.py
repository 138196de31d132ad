"""Alarms: a table of what is watched, all to the alarm topic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch

from infra.config import StackConfig
from infra.naming import Names

FIVE_MINUTES = 300
#: The sweeper's metric (``handlers/entrypoints/sweeper.py``; a test holds the two names against each other).
OLDEST_OPEN_COMMAND = "OldestOpenCommandSeconds"


@dataclass(frozen=True)
class Watch:
    """One metric: it raises an alarm at ``threshold`` or above within five minutes. No ``dimension``: it has none."""

    namespace: str
    metric: str
    dimension: str | None
    threshold: float
    statistic: str = "Sum"


@dataclass(frozen=True)
class MonitoringArgs:
    """What is watched: machines by ARN, functions and queues by name; stream functions by name."""

    names: Names
    config: StackConfig
    alarm_topic_arn: pulumi.Input[str]
    machines: Mapping[str, pulumi.Input[str]]
    functions: Mapping[str, pulumi.Input[str]]
    stream_functions: Mapping[str, pulumi.Input[str]]
    dead_letter_queues: Mapping[str, pulumi.Input[str]]


class Monitoring(pulumi.ComponentResource):
    """Alarms on executions, functions, stream lag and dead-letter queues."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Monitoring", name, None, opts)
        self._args = args
        failed = args.config.alarm_failed_executions
        for machine, arn in args.machines.items():
            for metric in ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled"):
                threshold = failed if metric == "ExecutionsFailed" else 1
                self._alarm(machine, arn, Watch("AWS/States", metric, "StateMachineArn", threshold))
        for function, function_name in args.functions.items():
            for metric in ("Errors", "Throttles"):
                self._alarm(function, function_name, Watch("AWS/Lambda", metric, "FunctionName", 1))
        age = args.config.alarm_iterator_age_seconds * 1000
        for function, function_name in args.stream_functions.items():
            watch = Watch("AWS/Lambda", "IteratorAge", "FunctionName", age, "Maximum")
            self._alarm(function, function_name, watch)
        for queue, queue_name in args.dead_letter_queues.items():
            watch = Watch("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", 1, "Maximum")
            self._alarm(queue, queue_name, watch)
        oldest = args.config.alarm_oldest_open_command_seconds
        self._alarm("commands", "", Watch(args.names.metric_namespace, OLDEST_OPEN_COMMAND, None, oldest, "Maximum"))
        self.register_outputs({})

    def _alarm(self, what: str, dimension: pulumi.Input[str], watch: Watch) -> None:
        args = self._args
        cloudwatch.MetricAlarm(
            f"{what}-{watch.metric}",
            name=f"{args.names.project}-{args.names.stack}-{what}-{watch.metric}",
            namespace=watch.namespace,
            metric_name=watch.metric,
            dimensions={watch.dimension: dimension} if watch.dimension else None,
            statistic=watch.statistic,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=watch.threshold,
            period=FIVE_MINUTES,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            alarm_actions=[args.alarm_topic_arn],
            tags=args.names.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
