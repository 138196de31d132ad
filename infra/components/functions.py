"""Lambda functions: each with its own role, log group, memory and timeout, all from one archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_

from infra.components.deployment import Deployment
from infra.components.environments import Environment
from infra.components.places import Places
from infra.components.roles import LoggedRole, RoleArgs
from infra.configuration.stack_config import StackConfig
from infra.naming.names import Account
from infra.permissions.policies import READ_STREAM, function_policy
from infra.permissions.resources import Grants, Resources


def _no_layers(config: StackConfig, account: Account) -> list[str]:
    return []


def _nothing(config: StackConfig, account: Account) -> dict[str, tuple[str, ...]]:
    return {}


@dataclass(frozen=True)
class FunctionSpec:
    """A function's definition, before anything is declared.

    ``name`` is its entry point's. ``timeout`` is in seconds. ``grants``: its permissions. ``environment``: its
    variables except LOG_LEVEL. ``least_memory``: lower bound in MB, where ``lambdaMemory`` may be too little.
    ``configured``: permissions from configuration, in addition to its grants, ARN to actions. ``layers``: ARNs of its
    layers.
    """

    name: str
    description: str
    timeout: int
    grants: Grants
    environment: Callable[[StackConfig, Places], Environment]
    least_memory: int = 0
    configured: Callable[[StackConfig, Account], Mapping[str, tuple[str, ...]]] = _nothing
    layers: Callable[[StackConfig, Account], list[str]] = _no_layers

    @property
    def reads_streams(self) -> bool:
        """Whether a table's stream invokes it."""
        return READ_STREAM in self.grants.values()

    def variables(self, config: StackConfig, places: Places) -> Environment:
        """Its whole environment."""
        return {**self.environment(config, places), "LOG_LEVEL": config.log_level}


@dataclass(frozen=True)
class FunctionArgs:
    """One function. ``configured``: permissions from configuration and application, in addition to its grants: ARN and
    actions; ``also``: the same by names of resources. ``environment`` and ``layers``: the application's additions.
    """

    spec: FunctionSpec
    deployment: Deployment
    configured: Sequence[tuple[pulumi.Input[str], tuple[str, ...]]] = ()
    also: Sequence[Grants] = ()
    environment: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    layers: Sequence[pulumi.Input[str]] = ()

    def policy(self, resources: Resources, log_group_arn: pulumi.Input[str]) -> dict[str, object]:
        """The policy document of its role."""
        return policy_of(
            self.spec,
            self.deployment.config,
            resources,
            log_group_arn,
            configured=self.configured,
            also=self.also,
        )


def policy_of(
    spec: FunctionSpec,
    config: StackConfig,
    resources: Resources,
    log_group_arn: pulumi.Input[str],
    *,
    configured: Sequence[tuple[pulumi.Input[str], tuple[str, ...]]] = (),
    also: Sequence[Grants] = (),
) -> dict[str, object]:
    """The policy document of a function's role; given expected ARNs, it can be computed before anything is declared."""
    return function_policy(
        (spec.grants, *also), resources, log_group_arn, tracing=config.tracing, configured=configured
    )


class Function(pulumi.ComponentResource):
    """``function``, with its ``role`` and ``log_group``."""

    spec: FunctionSpec
    function: lambda_.Function
    role: iam.Role
    log_group: cloudwatch.LogGroup

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Function", name, None, opts)
        self.spec = spec = args.spec
        deployment, config, names = args.deployment, args.deployment.config, args.deployment.names
        variables = {**args.environment, **spec.variables(config, deployment.places)}
        own = LoggedRole(
            self,
            RoleArgs(
                spec.name,
                "lambda.amazonaws.com",
                names.log_group_of_function(spec.name),
                lambda log_group: pulumi.Output.json_dumps(
                    args.policy(deployment.resources, log_group), sort_keys=True
                ),
            ),
            deployment,
        )
        self.role, self.log_group = own.role, own.log_group
        self.function = lambda_.Function(
            name,
            name=names.of(spec.name),
            description=spec.description,
            runtime=config.lambda_runtime,
            architectures=[config.lambda_architecture],
            handler=f"handlers.entrypoints.{spec.name}.handler",
            code=deployment.archive,
            layers=[*spec.layers(config, deployment.account), *args.layers] or None,
            role=self.role.arn,
            timeout=spec.timeout,
            memory_size=max(spec.least_memory, config.lambda_memory),
            kms_key_arn=deployment.key,
            environment=lambda_.FunctionEnvironmentArgs(variables=variables),
            tracing_config=lambda_.FunctionTracingConfigArgs(mode="Active" if config.tracing else "PassThrough"),
            tags=names.tags,
            # A function that is invoked before its role's policy is attached fails its first calls.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[own.policy, own.log_group]),
        )
        self.register_outputs({"functionArn": self.function.arn})
