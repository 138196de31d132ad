from __future__ import annotations

from typing import Any

import pytest

from local.sources.filters import PatternError
from local.sources.mappings import MappingError, QueueMapping, StreamMapping, mapping_from_properties
from tests.unit.local.sources.fakes import FAILURES, QUEUE, STREAM

STREAM_PROPERTIES = {"eventSourceArn": STREAM, "functionName": "events", "startingPosition": "TRIM_HORIZON"}
QUEUE_PROPERTIES = {"eventSourceArn": QUEUE, "functionName": "worker"}


def test_stream_defaults_are_lambda_s() -> None:
    mapping = mapping_from_properties("m", STREAM_PROPERTIES)
    assert isinstance(mapping, StreamMapping)
    assert (mapping.batch_size, mapping.parallelization_factor) == (100, 1)
    assert (mapping.maximum_retry_attempts, mapping.maximum_record_age) == (-1, -1)
    assert (mapping.bisect, mapping.partial_responses, mapping.on_failure_arn) == (False, False, None)


def test_stream_properties() -> None:
    mapping = mapping_from_properties(
        "m",
        {
            **STREAM_PROPERTIES,
            "startingPosition": "LATEST",
            "batchSize": 10.0,
            "bisectBatchOnFunctionError": True,
            "maximumRetryAttempts": 5,
            "maximumRecordAgeInSeconds": 3600,
            "parallelizationFactor": 4,
            "functionResponseTypes": ["ReportBatchItemFailures"],
            "destinationConfig": {"onFailure": {"destinationArn": FAILURES}},
            "filterCriteria": {"filters": [{"pattern": '{"eventName": ["INSERT"]}'}]},
            "enabled": False,
        },
    )
    assert isinstance(mapping, StreamMapping)
    assert mapping.filters.accepts_stream_record({"eventName": "INSERT"})
    assert not mapping.filters.accepts_stream_record({"eventName": "MODIFY"})
    assert (mapping.from_start, mapping.batch_size, mapping.bisect, mapping.enabled) == (False, 10, True, False)
    assert (mapping.maximum_retry_attempts, mapping.maximum_record_age, mapping.parallelization_factor) == (5, 3600, 4)
    assert (mapping.partial_responses, mapping.on_failure_arn) == (True, FAILURES)


def test_queue_defaults_and_concurrency() -> None:
    mapping = mapping_from_properties("m", QUEUE_PROPERTIES)
    assert isinstance(mapping, QueueMapping)
    assert (mapping.batch_size, mapping.maximum_concurrency, mapping.partial_responses) == (10, 5, False)
    limited = mapping_from_properties("m", {**QUEUE_PROPERTIES, "scalingConfig": {"maximumConcurrency": 20}})
    assert isinstance(limited, QueueMapping)
    assert limited.maximum_concurrency == 20


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({**STREAM_PROPERTIES, "tumblingWindowInSeconds": 30}, "unsupported tumblingWindowInSeconds; supported: batch"),
        ({**QUEUE_PROPERTIES, "bisectBatchOnFunctionError": True}, "unsupported bisectBatchOnFunctionError"),
        ({**STREAM_PROPERTIES, "startingPosition": "AT_TIMESTAMP"}, "is 'AT_TIMESTAMP'; allowed: TRIM_HORIZON, LATEST"),
        ({**STREAM_PROPERTIES, "batchSize": 10_001}, "batchSize is 10001; allowed: a whole number from 1 to 10000"),
        ({**STREAM_PROPERTIES, "batchSize": 1.5}, "batchSize is 1.5"),
        ({**STREAM_PROPERTIES, "parallelizationFactor": 11}, "allowed: a whole number from 1 to 10"),
        ({**STREAM_PROPERTIES, "maximumRecordAgeInSeconds": 700_000}, "from -1 to 604800"),
        ({**STREAM_PROPERTIES, "functionResponseTypes": ["Other"]}, "allowed: ReportBatchItemFailures"),
        (
            {**STREAM_PROPERTIES, "destinationConfig": {"onFailure": {"destinationArn": "arn:aws:s3:::bucket"}}},
            "allowed: an SQS queue, an SNS topic",
        ),
        ({**QUEUE_PROPERTIES, "batchSize": 100}, "batchSize 100 .* needs maximumBatchingWindowInSeconds of at least 1"),
        (
            {**QUEUE_PROPERTIES, "scalingConfig": {"maximumConcurrency": 1}},
            "maximumConcurrency is 1; allowed: .* from 2",
        ),
        ({**QUEUE_PROPERTIES, "eventSourceArn": QUEUE + ".fifo"}, "a DynamoDB stream or a standard SQS queue"),
        ({**QUEUE_PROPERTIES, "eventSourceArn": "arn:aws:kinesis:x:y:stream/s"}, "is not supported"),
        ({"eventSourceArn": QUEUE}, "has no functionName"),
    ],
)
def test_unusable_mappings_are_refused_by_name(properties: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        mapping_from_properties("m", properties)


def test_bad_filter_is_refused() -> None:
    with pytest.raises(PatternError, match="unknown operator 'wildcard'"):
        mapping_from_properties(
            "m", {**QUEUE_PROPERTIES, "filterCriteria": {"filters": [{"pattern": '{"a": [{"wildcard": "*"}]}'}]}}
        )
