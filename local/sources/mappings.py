"""Event source mappings, read from the properties that the program declares.

Names, defaults and ranges: Lambda API reference, CreateEventSourceMapping, and Lambda Developer Guide, "Lambda
parameters for Amazon DynamoDB event source mappings" and "Lambda parameters for Amazon SQS event source mappings".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.sources.filters import FilterSet

INFINITE = -1
PARTIAL_RESPONSES = "ReportBatchItemFailures"
#: DynamoDB streams keep a record for 24 hours ("Change data capture for DynamoDB Streams").
STREAM_RETENTION_S = 24 * 3600
#: Concurrent batches of a queue before Lambda scales up ("Using Lambda with Amazon SQS").
QUEUE_CONCURRENCY = 5

_COMMON = {
    "batchSize",
    "enabled",
    "eventSourceArn",
    "filterCriteria",
    "functionName",
    "functionResponseTypes",
    "maximumBatchingWindowInSeconds",
    "region",
    "tags",
}
_STREAM = {
    *_COMMON,
    "bisectBatchOnFunctionError",
    "destinationConfig",
    "maximumRecordAgeInSeconds",
    "maximumRetryAttempts",
    "parallelizationFactor",
    "startingPosition",
}
_QUEUE = {*_COMMON, "scalingConfig"}


class MappingError(ValueError):
    """A property of a mapping is unknown, unsupported or out of range; the text names it."""


@dataclass(frozen=True)
class StreamMapping:
    """A mapping of a DynamoDB stream to a function. Times are in seconds; ``INFINITE``: no limit."""

    id: str
    function: str
    stream_arn: str
    filters: FilterSet
    from_start: bool = True
    batch_size: int = 100
    batching_window: float = 0.0
    partial_responses: bool = False
    bisect: bool = False
    maximum_retry_attempts: int = INFINITE
    maximum_record_age: int = INFINITE
    parallelization_factor: int = 1
    on_failure_arn: str | None = None
    enabled: bool = True


@dataclass(frozen=True)
class QueueMapping:
    """A mapping of an SQS queue to a function."""

    id: str
    function: str
    queue_arn: str
    filters: FilterSet
    batch_size: int = 10
    batching_window: float = 0.0
    partial_responses: bool = False
    maximum_concurrency: int = QUEUE_CONCURRENCY
    enabled: bool = True


def mapping_from_properties(mapping_id: str, properties: Mapping[str, Any]) -> StreamMapping | QueueMapping:
    """The mapping that ``aws:lambda/eventSourceMapping:EventSourceMapping`` declares.

    Args:
        mapping_id: its UUID.
        properties: Pulumi's camelCase properties; numbers may be floats.

    Raises:
        MappingError: an unknown property, a value out of range, or a source that isn't a stream or a queue.
        PatternError: a filter is invalid.
    """
    source = str(properties.get("eventSourceArn", ""))
    if ":dynamodb:" in source and "/stream/" in source:
        return _stream(mapping_id, _known(properties, _STREAM, source), source)
    if ":sqs:" in source and not source.endswith(".fifo"):
        return _queue(mapping_id, _known(properties, _QUEUE, source), source)
    raise MappingError(f"event source {source!r} is not supported; allowed: a DynamoDB stream or a standard SQS queue")


def _stream(mapping_id: str, given: Mapping[str, Any], source: str) -> StreamMapping:
    position = given.get("startingPosition")
    if position not in ("TRIM_HORIZON", "LATEST"):
        raise MappingError(f"startingPosition of {source} is {position!r}; allowed: TRIM_HORIZON, LATEST")
    destination = _nested(given, "destinationConfig", "onFailure", "destinationArn")
    if destination is not None and not any(f":{service}:" in str(destination) for service in ("sqs", "sns")):
        raise MappingError(
            f"onFailure destination {destination!r} is not supported; allowed: an SQS queue, an SNS topic"
        )
    return StreamMapping(
        id=mapping_id,
        function=str(given["functionName"]),
        stream_arn=source,
        filters=_filters(given),
        from_start=position == "TRIM_HORIZON",
        batch_size=_integer(given, "batchSize", 100, 1, 10_000),
        batching_window=_integer(given, "maximumBatchingWindowInSeconds", 0, 0, 300),
        partial_responses=_partial(given),
        bisect=bool(given.get("bisectBatchOnFunctionError", False)),
        maximum_retry_attempts=_integer(given, "maximumRetryAttempts", INFINITE, INFINITE, 10_000),
        maximum_record_age=_integer(given, "maximumRecordAgeInSeconds", INFINITE, INFINITE, 604_800),
        parallelization_factor=_integer(given, "parallelizationFactor", 1, 1, 10),
        on_failure_arn=None if destination is None else str(destination),
        enabled=bool(given.get("enabled", True)),
    )


def _queue(mapping_id: str, given: Mapping[str, Any], source: str) -> QueueMapping:
    window = _integer(given, "maximumBatchingWindowInSeconds", 0, 0, 300)
    batch_size = _integer(given, "batchSize", 10, 1, 10_000)
    if batch_size > 10 and window < 1:
        raise MappingError(f"batchSize {batch_size} of {source} needs maximumBatchingWindowInSeconds of at least 1")
    scaling = given.get("scalingConfig") or {}
    return QueueMapping(
        id=mapping_id,
        function=str(given["functionName"]),
        queue_arn=source,
        filters=_filters(given),
        batch_size=batch_size,
        batching_window=window,
        partial_responses=_partial(given),
        maximum_concurrency=_integer(scaling, "maximumConcurrency", QUEUE_CONCURRENCY, 2, 1_000),
        enabled=bool(given.get("enabled", True)),
    )


def _known(properties: Mapping[str, Any], allowed: set[str], source: str) -> Mapping[str, Any]:
    given = {name: value for name, value in properties.items() if value is not None}
    unknown = sorted(set(given) - allowed)
    if unknown:
        supported = ", ".join(sorted(allowed))
        raise MappingError(
            f"event source mapping of {source}: unsupported {', '.join(unknown)}; supported: {supported}"
        )
    if not given.get("functionName"):
        raise MappingError(f"event source mapping of {source} has no functionName")
    return given


def _filters(given: Mapping[str, Any]) -> FilterSet:
    criteria = given.get("filterCriteria") or {}
    return FilterSet([str(one["pattern"]) for one in criteria.get("filters") or []])


def _partial(given: Mapping[str, Any]) -> bool:
    kinds = list(given.get("functionResponseTypes") or [])
    unknown = [kind for kind in kinds if kind != PARTIAL_RESPONSES]
    if unknown:
        raise MappingError(f"functionResponseTypes has {unknown}; allowed: {PARTIAL_RESPONSES}")
    return bool(kinds)


def _integer(given: Mapping[str, Any], name: str, default: int, low: int, high: int) -> int:
    value = given.get(name)
    if value is None:
        return default
    if (
        not isinstance(value, (int, float))
        or isinstance(value, bool)
        or value != int(value)
        or not low <= value <= high
    ):
        raise MappingError(f"{name} is {value!r}; allowed: a whole number from {low} to {high}")
    return int(value)


def _nested(given: Mapping[str, Any], *names: str) -> Any:
    node: Any = given
    for name in names:
        node = (node or {}).get(name)
    return node
