"""EventBridge rules that invoke functions: the sweeper's schedule, and executions that failed or were stopped."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import cloudwatch, lambda_

from contract.messages import INVOCATION_FAILURES
from contract.state_machines import STATUS_SOURCE
from infra.components.deployment import Deployment
from infra.components.functions import Function
from infra.components.state_machines import StateMachine

ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")
SWEEP = "sweep"
EXECUTIONS_ENDED_BADLY = "executions-ended-badly"
IMPORTS_ENDED_BADLY = "imports-ended-badly"
RULES = (SWEEP, EXECUTIONS_ENDED_BADLY, IMPORTS_ENDED_BADLY)
#: Lambda's defaults (Developer Guide, "How Lambda handles errors and retries with asynchronous invocation"), made
#: explicit.
TRIES_AGAIN = 2
EVENT_AGE_SECONDS = 21_600


def sweep_schedule(deployment: Deployment, sweeper: Function) -> None:
    """The rule that invokes the sweeper."""
    names, minutes = deployment.names, deployment.config.sweep_minutes
    rule = cloudwatch.EventRule(
        SWEEP,
        name=names.of(SWEEP),
        description="Runs the sweeper",
        schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
        tags=names.tags,
        opts=pulumi.ResourceOptions(parent=sweeper),
    )
    _call(SWEEP, rule, sweeper, deployment)


def _call(name: str, rule: cloudwatch.EventRule, function: Function, deployment: Deployment) -> None:
    """Let a rule invoke a function. Undeliverable events, and those that fail at every attempt, go to a queue.

    Only rules invoke functions asynchronously here; streams, queues and machines invoke them synchronously
    (decision record 0231).
    """
    failures = deployment.messaging.failure_queues[INVOCATION_FAILURES]
    child = pulumi.ResourceOptions(parent=function)
    permission = lambda_.Permission(
        f"{name}-permission",
        action="lambda:InvokeFunction",
        function=function.function.name,
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=child,
    )
    lambda_.FunctionEventInvokeConfig(
        f"{name}-invocations",
        function_name=function.function.name,
        maximum_retry_attempts=TRIES_AGAIN,
        maximum_event_age_in_seconds=EVENT_AGE_SECONDS,
        destination_config=lambda_.FunctionEventInvokeConfigDestinationConfigArgs(
            on_failure=lambda_.FunctionEventInvokeConfigDestinationConfigOnFailureArgs(destination=failures.arn)
        ),
        opts=child,
    )
    cloudwatch.EventTarget(
        f"{name}-target",
        rule=rule.name,
        arn=function.function.arn,
        dead_letter_config=cloudwatch.EventTargetDeadLetterConfigArgs(arn=failures.arn),
        opts=pulumi.ResourceOptions(parent=function, depends_on=[permission]),
    )


def ended_badly_rule(
    deployment: Deployment, function: Function, machines: Sequence[StateMachine], *, name: str = EXECUTIONS_ENDED_BADLY
) -> None:
    """Report STANDARD executions that ended without recording an outcome to a function.

    EXPRESS executions send no status events (Step Functions Developer Guide, "Automating Step Functions event
    delivery with EventBridge"); the sweeper finds what they left open.
    """
    child = pulumi.ResourceOptions(parent=function)
    pattern = {
        "source": [STATUS_SOURCE],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": list(ENDED_BADLY), "stateMachineArn": [one.machine.arn for one in machines]},
    }
    rule = cloudwatch.EventRule(
        name,
        name=deployment.names.of(name),
        description="Executions that failed, timed out or were aborted",
        event_pattern=pulumi.Output.json_dumps(pattern, sort_keys=True),
        tags=deployment.names.tags,
        opts=child,
    )
    _call(name, rule, function, deployment)
