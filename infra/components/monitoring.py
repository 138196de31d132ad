"""Alarms, all of which notify the alarm topic, and the dashboard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch

from contract.messages import DEAD_LETTER_QUEUES, QUEUES
from contract.metrics import OLDEST_OPEN_COMMAND
from contract.outputs import DASHBOARD_URL
from contract.tables import COMMANDS
from infra.components.dashboard import Shown, dashboard_body
from infra.components.deployment import Deployment
from infra.components.functions import Function
from infra.components.rules import RULES
from infra.components.state_machines import StateMachine

FIVE_MINUTES = 300
#: Metrics of each machine that raise an alarm; ``FailureRate`` is computed from two.
MACHINE_COUNTS = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted", "ExecutionThrottled")
EXECUTION_TIME = "ExecutionTime"
FAILURE_RATE_ALARM = "FailureRate"
FUNCTION_COUNTS = ("Errors", "Throttles")
ITERATOR_AGE = "IteratorAge"
WAITING_MESSAGES = "ApproximateNumberOfMessagesVisible"
OLDEST_MESSAGE = "ApproximateAgeOfOldestMessage"
#: Metrics of an HTTP API (API Gateway Developer Guide, "Monitor CloudWatch metrics for HTTP APIs"): 5xx responses, and
#: the time from request to response, in ms.
API_ERRORS, API_TIME = "5xx", "Latency"
FAILED_INVOCATIONS = "FailedInvocations"
#: Failed executions in percent of those started in the same five minutes; 100 if executions failed and none were
#: started. A metric without data points in a period has no value, nor do expressions with it; FILL makes it 0
#: (CloudWatch User Guide, "Using math expressions with CloudWatch metrics").
FAILURE_RATE = "IF(FILL(started, 0) > 0, 100 * FILL(failed, 0) / FILL(started, 0), IF(FILL(failed, 0) > 0, 100, 0))"


@dataclass(frozen=True)
class Watch:
    """One metric, with an alarm if it reaches ``threshold`` within five minutes. ``dimension``: its name, None for a
    metric without dimensions. ``statistic`` may be a percentile, such as ``p99``.
    """

    namespace: str
    metric: str
    dimension: str | None
    threshold: float
    statistic: str = "Sum"


@dataclass(frozen=True)
class MonitoringArgs:
    """Monitored resources by name; queues and rules come from the deployment."""

    deployment: Deployment
    machines: Mapping[str, StateMachine]
    functions: Mapping[str, Function]
    #: Name to id.
    apis: Mapping[str, pulumi.Input[str]]


def alarms_of(
    machines: Sequence[str],
    functions: Sequence[str],
    stream_functions: Sequence[str],
    queues: Sequence[str],
    dead_letter_queues: Sequence[str],
    rules: Sequence[str],
    apis: Sequence[str],
) -> Iterator[str]:
    """The names of all alarms, without the stack's prefix."""
    for machine in machines:
        yield from (f"{machine}-{metric}" for metric in (*MACHINE_COUNTS, EXECUTION_TIME, FAILURE_RATE_ALARM))
    for api in apis:
        yield from (f"{api}-{metric}" for metric in (API_ERRORS, API_TIME))
    for function in functions:
        yield from (f"{function}-{metric}" for metric in FUNCTION_COUNTS)
    yield from (f"{function}-{ITERATOR_AGE}" for function in stream_functions)
    yield from (f"{queue}-{OLDEST_MESSAGE}" for queue in queues)
    yield from (f"{queue}-{WAITING_MESSAGES}" for queue in dead_letter_queues)
    yield from (f"{rule}-{FAILED_INVOCATIONS}" for rule in rules)
    yield f"{COMMANDS}-{OLDEST_OPEN_COMMAND}"


class Monitoring(pulumi.ComponentResource):
    """Alarms on executions, functions, APIs, backlogs, dead-letter queues and rules; ``dashboard_url``."""

    dashboard_url: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Monitoring", name, None, opts)
        self._deployment = deployment = args.deployment
        config, messaging = deployment.config, deployment.messaging
        for machine, one in args.machines.items():
            arn = one.machine.arn
            for metric in MACHINE_COUNTS:
                threshold = config.alarm_failed_executions if metric == "ExecutionsFailed" else 1
                self._alarm(machine, arn, Watch("AWS/States", metric, "StateMachineArn", threshold))
            slow = max(config.alarm_execution_seconds, one.may_take_seconds) * 1000
            self._alarm(machine, arn, Watch("AWS/States", EXECUTION_TIME, "StateMachineArn", slow, "p99"))
            self._failure_rate(machine, arn)
        functions = {name: one.function.name for name, one in args.functions.items()}
        for function, function_name in functions.items():
            for metric in FUNCTION_COUNTS:
                self._alarm(function, function_name, Watch("AWS/Lambda", metric, "FunctionName", 1))
        for api, id_ in args.apis.items():
            self._alarm(api, id_, Watch("AWS/ApiGateway", API_ERRORS, "ApiId", 1))
            late = config.alarm_api_seconds * 1000
            self._alarm(api, id_, Watch("AWS/ApiGateway", API_TIME, "ApiId", late, "p99"))
        age = config.alarm_iterator_age_seconds * 1000
        readers = {name: functions[name] for name, one in args.functions.items() if one.spec.reads_streams}
        for function, function_name in readers.items():
            watch = Watch("AWS/Lambda", ITERATOR_AGE, "FunctionName", age, "Maximum")
            self._alarm(function, function_name, watch)
        letters = {DEAD_LETTER_QUEUES[queue]: one.name for queue, one in messaging.dead_letter_queues.items()}
        letters |= {name: one.name for name, one in messaging.failure_queues.items()}
        for queue, queue_name in letters.items():
            watch = Watch("AWS/SQS", WAITING_MESSAGES, "QueueName", 1, "Maximum")
            self._alarm(queue, queue_name, watch)
        for queue in QUEUES:
            waited = Watch("AWS/SQS", OLDEST_MESSAGE, "QueueName", config.alarm_oldest_message_seconds, "Maximum")
            self._alarm(queue, messaging.queues[queue].name, waited)
        for rule in RULES:
            self._alarm(rule, deployment.names.of(rule), Watch("AWS/Events", FAILED_INVOCATIONS, "RuleName", 1))
        oldest, namespace = config.alarm_oldest_open_command_seconds, deployment.names.metric_namespace
        self._alarm(COMMANDS, "", Watch(namespace, OLDEST_OPEN_COMMAND, None, oldest, "Maximum"))
        machines = {name: one.machine.arn for name, one in args.machines.items()}
        self.dashboard_url = self._dashboard(
            Shown(machines, functions, readers, letters, namespace, OLDEST_OPEN_COMMAND, args.apis)
        )
        self.register_outputs({DASHBOARD_URL: self.dashboard_url})

    def _alarm(self, what: str, dimension: pulumi.Input[str], watch: Watch) -> None:
        names, is_percentile = self._deployment.names, watch.statistic.startswith("p")
        cloudwatch.MetricAlarm(
            f"{what}-{watch.metric}",
            name=names.of(f"{what}-{watch.metric}"),
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
            alarm_actions=[self._deployment.messaging.alarm_topic.arn],
            tags=names.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _failure_rate(self, machine: str, arn: pulumi.Input[str]) -> None:
        names, config = self._deployment.names, self._deployment.config
        cloudwatch.MetricAlarm(
            f"{machine}-{FAILURE_RATE_ALARM}",
            name=names.of(f"{machine}-{FAILURE_RATE_ALARM}"),
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
            threshold=config.alarm_failure_rate_percent,
            evaluation_periods=1,
            treat_missing_data="notBreaching",
            alarm_actions=[self._deployment.messaging.alarm_topic.arn],
            tags=names.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _dashboard(self, shown: Shown) -> pulumi.Output[str]:
        account, names = self._deployment.account, self._deployment.names
        dashboard = cloudwatch.Dashboard(
            "dashboard",
            dashboard_name=names.of("dashboard"),
            dashboard_body=pulumi.Output.json_dumps(dashboard_body(shown, account.region), sort_keys=True),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return pulumi.Output.concat(
            f"https://{account.console}/cloudwatch/home?region={account.region}#dashboards/dashboard/",
            dashboard.dashboard_name,
        )
