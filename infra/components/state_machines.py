"""State machines from definition files, each with its own role and log group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pulumi
from pulumi_aws import cloudwatch, iam, sfn

from contract.state_machines import STANDARD
from infra.components.deployment import Deployment
from infra.components.functions import Function
from infra.components.roles import LoggedRole, RoleArgs
from infra.definitions import json_files
from infra.definitions.checks import DefinitionError, check_definition, in_partition, task_resources
from infra.definitions.substitution import override, substitute
from infra.permissions.keys import key_actions

DEFINITIONS = Path(__file__).parents[1] / "state_machines"
SUFFIX = ".asl.json"
ONE_HOUR = 3_600


@dataclass(frozen=True)
class StateMachineArgs:
    """One machine.

    ``functions``: the functions its tasks call. ``values`` fill the definition's other placeholders, ``numbers``
    replace numbers by JSON pointer. ``also``: additional permissions of its role. ``may_take_seconds``: executions up
    to this duration raise no alarm, even above ``alarmExecutionSeconds``.
    """

    definition: dict[str, Any]
    functions: Sequence[Function]
    deployment: Deployment
    numbers: Mapping[str, int] = field(default_factory=dict)
    values: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    type: str = STANDARD
    also: Sequence[Mapping[str, object]] = ()
    may_take_seconds: int = 0


def load_definition(name: str) -> dict[str, Any]:
    """A definition file of this package, checked. Raises DefinitionError."""
    try:
        definition: dict[str, Any] = json_files.read(DEFINITIONS / f"{name}{SUFFIX}")
    except ValueError as error:
        raise DefinitionError(name, [str(error)]) from None
    check_definition(name, definition)
    return definition


def check_definitions() -> None:
    """Check all definition files of this package. Raises DefinitionError."""
    for path in sorted(DEFINITIONS.glob(f"*{SUFFIX}")):
        load_definition(path.name.removesuffix(SUFFIX))


def placeholder(function: str) -> str:
    """The placeholder of a function's ARN in definitions."""
    return f"{function.title()}FunctionArn"


class StateMachine(pulumi.ComponentResource):
    """``machine``, with its ``role`` and ``log_group``."""

    machine: sfn.StateMachine
    role: iam.Role
    log_group: cloudwatch.LogGroup
    may_take_seconds: int

    def __init__(self, name: str, args: StateMachineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:StateMachine", name, None, opts)
        deployment, config, names = args.deployment, args.deployment.config, args.deployment.names
        self.may_take_seconds = args.may_take_seconds
        functions = {placeholder(one.spec.name): one.function.arn for one in args.functions}
        definition = substitute(
            in_partition(override(args.definition, args.numbers), deployment.account.partition),
            {**functions, **args.values},
        )
        policy = _policy(name, args, functions)
        own = LoggedRole(
            self,
            RoleArgs(name, "states.amazonaws.com", names.log_group_of_machine(name), lambda log_group: policy),
            deployment,
        )
        self.role, self.log_group = own.role, own.log_group
        self.machine = sfn.StateMachine(
            name,
            name=names.of(name),
            type=args.type,
            role_arn=self.role.arn,
            definition=pulumi.Output.json_dumps(definition, sort_keys=True),
            logging_configuration=sfn.StateMachineLoggingConfigurationArgs(
                level=config.workflow_log_level,
                include_execution_data=False,
                log_destination=pulumi.Output.concat(self.log_group.arn, ":*"),
            ),
            tracing_configuration=sfn.StateMachineTracingConfigurationArgs(enabled=config.tracing),
            tags=names.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[own.policy]),
        )
        self.register_outputs({"stateMachineArn": self.machine.arn})


#: Log delivery has no resource-level permissions (Step Functions Developer Guide, "Using CloudWatch Logs to log
#: execution history"); neither has X-Ray.
LOG_DELIVERY = (
    "logs:CreateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:UpdateLogDelivery",
)
TRACING = (
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)


def _on_key(args: StateMachineArgs) -> list[dict[str, object]]:
    """Permissions on the key for the machine's own calls; functions have theirs in their own roles."""
    actions = {action for one in args.also for action in _listed(one["Action"])}
    needed = key_actions(actions)
    if args.deployment.key is None or not needed:
        return []
    return [{"Effect": "Allow", "Action": list(needed), "Resource": args.deployment.key}]


def _listed(value: object) -> list[str]:
    """A value of a policy as a list: IAM accepts one value or a list."""
    return [value] if isinstance(value, str) else list(cast("Sequence[str]", value))


def _policy(name: str, args: StateMachineArgs, functions: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    called = {function for _, function in task_resources(args.definition)}
    missing = sorted(called - {f"${{{one}}}" for one in functions})
    if missing:
        raise ValueError(f"{name}: the role lacks {', '.join(missing)}, which the definition calls")
    statements: list[dict[str, object]] = [
        {
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": [functions[one] for one in sorted(functions)],
        },
        *map(dict, args.also),
        *_on_key(args),
        {"Effect": "Allow", "Action": list(LOG_DELIVERY), "Resource": "*"},
    ]
    if args.deployment.config.tracing:
        statements.append({"Effect": "Allow", "Action": list(TRACING), "Resource": "*"})
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}, sort_keys=True)
