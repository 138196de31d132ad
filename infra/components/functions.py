"""Lambda functions: each with its own role, log group, memory and timeout, all from one archive."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_

from contract.command_status import ACCEPTED, DONE, FAILED_SUFFIX, SKIPPED
from contract.functions import EVENTS, IMPORTS, LOADER, OUTCOMES
from contract.options import ALL, TERMINAL
from contract.rows import IMPORT_SOURCE, SYNC_MODE
from contract.tables import INSERT, MODIFY
from infra.configuration.stack_config import StackConfig
from infra.naming.names import Names
from infra.permissions.policies import Resources, assume_role, function_policy

#: A new command of the asynchronous path; rows of publish_sync and request rows don't match.
#: Filters name leaves and positive values (Lambda Developer Guide, "Control which events Lambda sends").
STARTS_COMMAND = {"eventName": [INSERT], "dynamodb": {"NewImage": {"status": {"S": [ACCEPTED]}}}}
#: Commands whose status may have changed, by ``statusEvents``; the code drops those that only got another field.
STATUS_CHANGED: dict[str, dict[str, object]] = {
    TERMINAL: {
        "eventName": [MODIFY],
        "dynamodb": {"NewImage": {"status": {"S": [DONE, SKIPPED, {"suffix": FAILED_SUFFIX}]}}},
    },
    ALL: {"eventName": [MODIFY], "dynamodb": {"NewImage": {"status": {"S": [{"exists": True}]}}}},
}
#: Commands that were applied in the transaction that accepted them.
APPLIED_AT_ONCE: dict[str, object] = {
    "eventName": [INSERT],
    "dynamodb": {"NewImage": {"status": {"S": [DONE]}, SYNC_MODE: {"BOOL": [{"exists": True}]}}},
}
#: Commands of imports that have come to their outcome.
IMPORTED: dict[str, object] = {
    "eventName": [MODIFY],
    "dynamodb": {
        "NewImage": {
            "source": {"S": [IMPORT_SOURCE]},
            "status": {"S": [DONE, SKIPPED, {"suffix": FAILED_SUFFIX}]},
        }
    },
}
#: Batches of one queue at a time, so that a flood of messages leaves the account's concurrency to others.
QUEUE_CONCURRENCY = 10
#: Functions that read a table's stream.
STREAM_READERS = (EVENTS, IMPORTS, LOADER, OUTCOMES)
STREAM_RETRIES = 10
STREAM_RECORD_AGE_SECONDS = 3_600


@dataclass(frozen=True)
class FunctionArgs:
    """One function. ``timeout`` in seconds; ``function`` is its entry point's name and its key in ``PERMISSIONS``.

    ``configured`` is what configuration lets it do beside: ARN to actions; ``also`` the same by names of resources.
    ``memory`` in MB, if not ``lambdaMemory``.
    """

    function: str
    description: str
    timeout: int
    environment: Mapping[str, pulumi.Input[str]]
    resources: Resources
    archive: pulumi.Archive
    names: Names
    config: StackConfig
    configured: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    memory: int | None = None
    also: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Function(pulumi.ComponentResource):
    """``function``, with its ``role`` and ``log_group``."""

    function: lambda_.Function
    role: iam.Role
    log_group: cloudwatch.LogGroup

    def __init__(self, name: str, args: FunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Function", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        physical_name, config = args.names.of(args.function), args.config
        self.log_group = cloudwatch.LogGroup(
            f"{name}-logs",
            name=args.names.log_group_of_function(args.function),
            retention_in_days=config.log_retention_days,
            tags=args.names.tags,
            opts=child,
        )
        self.role = iam.Role(
            f"{name}-role",
            name=physical_name,
            assume_role_policy=json.dumps(assume_role("lambda.amazonaws.com"), sort_keys=True),
            tags=args.names.tags,
            opts=child,
        )
        policy = iam.RolePolicy(
            f"{name}-policy",
            role=self.role.name,
            policy=function_policy(
                args.function,
                args.resources,
                self.log_group.arn,
                tracing=config.tracing,
                configured=args.configured,
                also=args.also,
            ),
            opts=child,
        )
        self.function = lambda_.Function(
            name,
            name=physical_name,
            description=args.description,
            runtime=config.lambda_runtime,
            architectures=[config.lambda_architecture],
            handler=f"handlers.entrypoints.{args.function}.handler",
            code=args.archive,
            role=self.role.arn,
            timeout=args.timeout,
            memory_size=args.memory or config.lambda_memory,
            environment=lambda_.FunctionEnvironmentArgs(variables=dict(args.environment)),
            tracing_config=lambda_.FunctionTracingConfigArgs(mode="Active" if config.tracing else "PassThrough"),
            tags=args.names.tags,
            # A function that runs before its role may write logs or read tables fails its first calls.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, self.log_group]),
        )
        self.register_outputs({"functionArn": self.function.arn})


def stream_mapping(
    name: str,
    *,
    stream_arn: pulumi.Input[str],
    function: Function,
    on_failure_arn: pulumi.Input[str],
    patterns: Sequence[Mapping[str, object]],
    batch_size: int,
) -> lambda_.EventSourceMapping:
    """What matches a pattern in a stream to a function: bounded retries, partial answers, and what fails is kept."""
    return lambda_.EventSourceMapping(
        name,
        event_source_arn=stream_arn,
        function_name=function.function.arn,
        starting_position="TRIM_HORIZON",
        batch_size=batch_size,
        function_response_types=["ReportBatchItemFailures"],
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=STREAM_RETRIES,
        maximum_record_age_in_seconds=STREAM_RECORD_AGE_SECONDS,
        destination_config=lambda_.EventSourceMappingDestinationConfigArgs(
            on_failure=lambda_.EventSourceMappingDestinationConfigOnFailureArgs(destination_arn=on_failure_arn)
        ),
        filter_criteria=lambda_.EventSourceMappingFilterCriteriaArgs(
            filters=[
                lambda_.EventSourceMappingFilterCriteriaFilterArgs(pattern=json.dumps(pattern, sort_keys=True))
                for pattern in patterns
            ]
        ),
        opts=pulumi.ResourceOptions(parent=function),
    )


def queue_mapping(
    name: str, *, queue_arn: pulumi.Input[str], function: Function, batch_size: int
) -> lambda_.EventSourceMapping:
    """A queue to a function: partial answers, bounded concurrency; the queue itself bounds the tries."""
    return lambda_.EventSourceMapping(
        name,
        event_source_arn=queue_arn,
        function_name=function.function.arn,
        batch_size=batch_size,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=QUEUE_CONCURRENCY),
        opts=pulumi.ResourceOptions(parent=function),
    )
