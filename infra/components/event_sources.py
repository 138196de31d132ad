"""Event source mappings of streams and queues."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import pulumi
from pulumi_aws import lambda_

from contract.messages import STREAM_FAILURES
from infra.components.deployment import Deployment
from infra.components.functions import Function

#: Concurrent batches of one queue, so that a flood of messages doesn't use up the account's concurrency.
QUEUE_CONCURRENCY = 10
STREAM_RETRIES = 10
STREAM_RECORD_AGE_SECONDS = 3_600


def stream_mapping(
    name: str,
    table: str,
    function: Function,
    deployment: Deployment,
    *,
    patterns: Sequence[Mapping[str, object]],
    batch_size: int,
    parent: Function | None = None,
    parallelization_factor: int | None = None,
    window_seconds: int | None = None,
) -> lambda_.EventSourceMapping:
    """Send a table's stream records that match a pattern to a function, with bounded retries, partial batch responses
    and a destination for failed batches.

    ``parent``: the mapping's parent, by default the function. ``parallelization_factor``: concurrent batches per
    shard; ``window_seconds``: how long Lambda waits for a full batch; None: Lambda's defaults.
    """
    failures = deployment.messaging.failure_queues[STREAM_FAILURES]
    return lambda_.EventSourceMapping(
        name,
        event_source_arn=deployment.tables.by_name[table].stream_arn,
        function_name=function.function.arn,
        starting_position="TRIM_HORIZON",
        batch_size=batch_size,
        parallelization_factor=parallelization_factor,
        maximum_batching_window_in_seconds=window_seconds,
        function_response_types=["ReportBatchItemFailures"],
        bisect_batch_on_function_error=True,
        maximum_retry_attempts=STREAM_RETRIES,
        maximum_record_age_in_seconds=STREAM_RECORD_AGE_SECONDS,
        destination_config=lambda_.EventSourceMappingDestinationConfigArgs(
            on_failure=lambda_.EventSourceMappingDestinationConfigOnFailureArgs(destination_arn=failures.arn)
        ),
        filter_criteria=lambda_.EventSourceMappingFilterCriteriaArgs(
            filters=[
                lambda_.EventSourceMappingFilterCriteriaFilterArgs(pattern=json.dumps(pattern, sort_keys=True))
                for pattern in patterns
            ]
        ),
        opts=pulumi.ResourceOptions(parent=parent or function),
    )


def queue_mapping(
    name: str, queue: str, function: Function, deployment: Deployment, *, batch_size: int
) -> lambda_.EventSourceMapping:
    """Send a queue's messages to a function, with partial batch responses and bounded concurrency. The queue's redrive
    policy bounds the attempts.
    """
    return lambda_.EventSourceMapping(
        name,
        event_source_arn=deployment.messaging.queues[queue].arn,
        function_name=function.function.arn,
        batch_size=batch_size,
        function_response_types=["ReportBatchItemFailures"],
        scaling_config=lambda_.EventSourceMappingScalingConfigArgs(maximum_concurrency=QUEUE_CONCURRENCY),
        opts=pulumi.ResourceOptions(parent=function),
    )
