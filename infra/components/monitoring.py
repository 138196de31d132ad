"""Alarms: a table of what is watched, all to the alarm topic; and the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import cloudwatch

from contract.metrics import OLDEST_OPEN_COMMAND
from infra.components.dashboard import Shown, dashboard_body
from infra.configuration.stack_config import StackConfig
from infra.naming.names import Account, Names

FIVE_MINUTES = 300
#: Metrics of each machine that raise an alarm; ``FailureRate`` is computed from two.
MACHINE_COUNTS = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
EXECUTION_TIME = "ExecutionTime"
FAILURE_RATE_ALARM = "FailureRate"
FUNCTION_COUNTS = ("Errors", "Throttles")
ITERATOR_AGE = "IteratorAge"
WAITING_MESSAGES = "ApproximateNumberOfMessagesVisible"
#: In percent of the executions that were started in the same five minutes.
FAILURE_RATE = "IF(started > 0, 100 * failed / started, 0)"
OF_COMMANDS = "commands"


@dataclass(frozen=True)
class Watch:
    """One metric: it raises an alarm at ``threshold`` or above within five minutes. No ``dimension``: it has none.

    A ``statistic`` may be a percentile, ``p99``.
    """

    namespace: str
    metric: str
    dimension: str | None
    threshold: float
    statistic: str = "Sum"


@dataclass(frozen=True)
class MonitoringArgs:
    """What is watched: machines by ARN, functions and queues by name; stream functions by name."""

    names: Names
    account: Account
    config: StackConfig
    alarm_topic_arn: pulumi.Input[str]
    machines: Mapping[str, pulumi.Input[str]]
    functions: Mapping[str, pulumi.Input[str]]
    stream_functions: Mapping[str, pulumi.Input[str]]
    dead_letter_queues: Mapping[str, pulumi.Input[str]]
    #: Machines that are slow only beyond this, whatever ``alarmExecutionSeconds`` says.
    may_take_seconds: Mapping[str, int] = field(default_factory=dict)


def alarms_of(
    machines: Sequence[str],
    functions: Sequence[str],
    stream_functions: Sequence[str],
    dead_letter_queues: Sequence[str],
) -> Iterator[str]:
    """The names of all alarms, without the stack's."""
    for machine in machines:
        yield from (f"{machine}-{metric}" for metric in (*MACHINE_COUNTS, EXECUTION_TIME, FAILURE_RATE_ALARM))
    for function in functions:
        yield from (f"{function}-{metric}" for metric in FUNCTION_COUNTS)
    yield from (f"{function}-{ITERATOR_AGE}" for function in stream_functions)
    yield from (f"{queue}-{WAITING_MESSAGES}" for queue in dead_letter_queues)
    yield f"{OF_COMMANDS}-{OLDEST_OPEN_COMMAND}"


class Monitoring(pulumi.ComponentResource):
    """Alarms on executions, functions, stream lag and dead-letter queues; ``dashboard_url``."""

    dashboard_url: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Monitoring", name, None, opts)
        self._args = args
        failed = args.config.alarm_failed_executions
        for machine, arn in args.machines.items():
            for metric in MACHINE_COUNTS:
                threshold = failed if metric == "ExecutionsFailed" else 1
                self._alarm(machine, arn, Watch("AWS/States", metric, "StateMachineArn", threshold))
            slow = max(args.config.alarm_execution_seconds, args.may_take_seconds.get(machine, 0)) * 1000
            self._alarm(machine, arn, Watch("AWS/States", EXECUTION_TIME, "StateMachineArn", slow, "p99"))
            self._failure_rate(machine, arn)
        for function, function_name in args.functions.items():
            for metric in FUNCTION_COUNTS:
                self._alarm(function, function_name, Watch("AWS/Lambda", metric, "FunctionName", 1))
        age = args.config.alarm_iterator_age_seconds * 1000
        for function, function_name in args.stream_functions.items():
            watch = Watch("AWS/Lambda", ITERATOR_AGE, "FunctionName", age, "Maximum")
            self._alarm(function, function_name, watch)
        for queue, queue_name in args.dead_letter_queues.items():
            watch = Watch("AWS/SQS", WAITING_MESSAGES, "QueueName", 1, "Maximum")
            self._alarm(queue, queue_name, watch)
        oldest = args.config.alarm_oldest_open_command_seconds
        self._alarm(OF_COMMANDS, "", Watch(args.names.metric_namespace, OLDEST_OPEN_COMMAND, None, oldest, "Maximum"))
        self.dashboard_url = self._dashboard()
        self.register_outputs({"dashboardUrl": self.dashboard_url})

    def _alarm(self, what: str, dimension: pulumi.Input[str], watch: Watch) -> None:
        args, is_percentile = self._args, watch.statistic.startswith("p")
        cloudwatch.MetricAlarm(
            f"{what}-{watch.metric}",
            name=args.names.of(f"{what}-{watch.metric}"),
            namespace=watch.namespace,
            metric_name=watch.metric,
            dimensions={watch.dimension: dimension} if watch.dimension else None,
            statistic=None if is_percentile else watch.statistic,
            extended_statistic=watch.statistic if is_percentile else None,
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=watch.threshold,
            period=FIVE_MINUTES,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            alarm_actions=[args.alarm_topic_arn],
            tags=args.names.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _failure_rate(self, machine: str, arn: pulumi.Input[str]) -> None:
        args = self._args
        cloudwatch.MetricAlarm(
            f"{machine}-{FAILURE_RATE_ALARM}",
            name=args.names.of(f"{machine}-{FAILURE_RATE_ALARM}"),
            metric_queries=[
                cloudwatch.MetricAlarmMetricQueryArgs(id="rate", expression=FAILURE_RATE, return_data=True),
                *(
                    cloudwatch.MetricAlarmMetricQueryArgs(
                        id=id_,
                        metric=cloudwatch.MetricAlarmMetricQueryMetricArgs(
                            namespace="AWS/States",
                            metric_name=metric,
                            dimensions={"StateMachineArn": arn},
                            period=FIVE_MINUTES,
                            stat="Sum",
                        ),
                    )
                    for id_, metric in (("started", "ExecutionsStarted"), ("failed", "ExecutionsFailed"))
                ),
            ],
            comparison_operator="GreaterThanOrEqualToThreshold",
            threshold=args.config.alarm_failure_rate_percent,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            alarm_actions=[args.alarm_topic_arn],
            tags=args.names.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _dashboard(self) -> pulumi.Output[str]:
        args, region = self._args, self._args.account.region
        console = args.account.console
        shown = Shown(
            args.machines,
            args.functions,
            args.stream_functions,
            args.dead_letter_queues,
            args.names.metric_namespace,
            OLDEST_OPEN_COMMAND,
        )
        dashboard = cloudwatch.Dashboard(
            "dashboard",
            dashboard_name=args.names.of("dashboard"),
            dashboard_body=pulumi.Output.json_dumps(dashboard_body(shown, region), sort_keys=True),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.concat(
            f"https://{console}/cloudwatch/home?region={region}#dashboards/dashboard/",
            dashboard.dashboard_name,
        )
