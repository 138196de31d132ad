"""What EventBridge calls functions for: the sweeper's schedule, and executions that ended badly."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import cloudwatch, lambda_

from contract.state_machines import STATUS_SOURCE
from infra.components.functions import Function
from infra.components.state_machines import StateMachine
from infra.naming.names import Names

ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")
SWEEP = "sweep"
EXECUTIONS_ENDED_BADLY = "executions-ended-badly"
IMPORTS_ENDED_BADLY = "imports-ended-badly"
RULES = (SWEEP, EXECUTIONS_ENDED_BADLY, IMPORTS_ENDED_BADLY)


def sweep_schedule(names: Names, sweeper: Function, minutes: int) -> None:
    """The sweeper's clock."""
    rule = cloudwatch.EventRule(
        SWEEP,
        name=names.of(SWEEP),
        description="Runs the sweeper",
        schedule_expression=f"rate({minutes} minute{'s' if minutes > 1 else ''})",
        tags=names.tags,
        opts=pulumi.ResourceOptions(parent=sweeper),
    )
    _call(SWEEP, rule, sweeper)


def _call(name: str, rule: cloudwatch.EventRule, function: Function) -> None:
    """Let a rule call a function."""
    permission = lambda_.Permission(
        f"{name}-permission",
        action="lambda:InvokeFunction",
        function=function.function.name,
        principal="events.amazonaws.com",
        source_arn=rule.arn,
        opts=pulumi.ResourceOptions(parent=function),
    )
    cloudwatch.EventTarget(
        f"{name}-target",
        rule=rule.name,
        arn=function.function.arn,
        opts=pulumi.ResourceOptions(parent=function, depends_on=[permission]),
    )


def ended_badly_rule(
    names: Names, function: Function, machines: Sequence[StateMachine], *, name: str = EXECUTIONS_ENDED_BADLY
) -> None:
    """STANDARD executions that ended without recording it reach a function.

    EXPRESS executions send no status events (Step Functions Developer Guide, "Automating Step Functions event
    delivery with EventBridge"): the sweeper finds what they leave.
    """
    child = pulumi.ResourceOptions(parent=function)
    pattern = {
        "source": [STATUS_SOURCE],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": list(ENDED_BADLY), "stateMachineArn": [one.machine.arn for one in machines]},
    }
    rule = cloudwatch.EventRule(
        name,
        name=names.of(name),
        description="Executions that failed, timed out or were aborted",
        event_pattern=pulumi.Output.json_dumps(pattern, sort_keys=True),
        tags=names.tags,
        opts=child,
    )
    _call(name, rule, function)
