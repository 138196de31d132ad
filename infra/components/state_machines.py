"""State machines from definition files, each with its own role and log group."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, iam, sfn

from contract.state_machines import STANDARD
from infra.configuration.stack_config import StackConfig
from infra.definitions import json_files
from infra.definitions.checks import DefinitionError, check_definition, in_partition, task_resources
from infra.definitions.substitution import override, substitute
from infra.naming.names import Account, Names
from infra.permissions.policies import assume_role

DEFINITIONS = Path(__file__).parents[1] / "state_machines"
ONE_HOUR = 3_600


@dataclass(frozen=True)
class StateMachineArgs:
    """One machine.

    ``values`` fill the definition's placeholders, ``numbers`` replace numbers by JSON pointer;
    ``functions`` are the ARNs of the functions that its tasks call; ``also`` what its role is allowed beside.
    """

    machine: str
    definition: dict[str, Any]
    values: Mapping[str, pulumi.Input[str]]
    functions: Mapping[str, pulumi.Input[str]]
    names: Names
    account: Account
    config: StackConfig
    numbers: Mapping[str, int] = field(default_factory=dict)
    type: str = STANDARD
    also: Sequence[Mapping[str, object]] = ()


def load_definition(name: str) -> dict[str, Any]:
    """A definition file of this package, checked. Raises DefinitionError."""
    try:
        definition: dict[str, Any] = json_files.read(DEFINITIONS / f"{name}.asl.json")
    except ValueError as error:
        raise DefinitionError(name, [str(error)]) from None
    check_definition(name, definition)
    return definition


def command_numbers(config: StackConfig) -> dict[str, int]:
    """The timeouts of the STANDARD command machine that configuration decides."""
    return {
        "/TimeoutSeconds": config.wait_limit_hours * ONE_HOUR + ONE_HOUR,
        "/States/wait_prev_command/TimeoutSeconds": config.wait_poll_seconds,
    }


class StateMachine(pulumi.ComponentResource):
    """``machine``, with its ``role`` and ``log_group``."""

    machine: sfn.StateMachine
    role: iam.Role
    log_group: cloudwatch.LogGroup

    def __init__(self, name: str, args: StateMachineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:StateMachine", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        definition = substitute(
            in_partition(override(args.definition, args.numbers), args.account.partition), args.values
        )
        physical_name, config = args.names.of(args.machine), args.config
        self.log_group = cloudwatch.LogGroup(
            f"{name}-logs",
            name=args.names.log_group_of_machine(args.machine),
            retention_in_days=config.log_retention_days,
            tags=args.names.tags,
            opts=child,
        )
        self.role = iam.Role(
            f"{name}-role",
            name=physical_name,
            assume_role_policy=json.dumps(assume_role("states.amazonaws.com"), sort_keys=True),
            tags=args.names.tags,
            opts=child,
        )
        policy = iam.RolePolicy(
            f"{name}-policy",
            role=self.role.name,
            policy=_policy(args, config),
            opts=child,
        )
        self.machine = sfn.StateMachine(
            name,
            name=physical_name,
            type=args.type,
            role_arn=self.role.arn,
            definition=pulumi.Output.json_dumps(definition, sort_keys=True),
            logging_configuration=sfn.StateMachineLoggingConfigurationArgs(
                level=config.workflow_log_level,
                include_execution_data=False,
                log_destination=pulumi.Output.concat(self.log_group.arn, ":*"),
            ),
            tracing_configuration=sfn.StateMachineTracingConfigurationArgs(enabled=config.tracing),
            tags=args.names.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"stateMachineArn": self.machine.arn})


#: Log delivery has no resources of its own (Step Functions Developer Guide, "Using CloudWatch Logs to log
#: execution history"); the same for X-Ray.
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


def _policy(args: StateMachineArgs, config: StackConfig) -> pulumi.Output[str]:
    called = {function for _, function in task_resources(args.definition)}
    missing = sorted(called - {f"${{{name}}}" for name in args.functions})
    if missing:
        raise ValueError(f"{args.machine}: the role lacks {', '.join(missing)}, which the definition calls")
    arns = [args.functions[name] for name in sorted(args.functions)]
    statements: list[dict[str, object]] = [
        {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arns},
        *map(dict, args.also),
        {"Effect": "Allow", "Action": list(LOG_DELIVERY), "Resource": "*"},
    ]
    if config.tracing:
        statements.append({"Effect": "Allow", "Action": list(TRACING), "Resource": "*"})
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": statements}, sort_keys=True)
