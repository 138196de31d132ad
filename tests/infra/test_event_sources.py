"""What Lambda refuses of event source mappings, whatever their filters."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from contract.command_status import FAILED_STATUSES
from tests.support.evaluation import Evaluation


def test_one_mapping_of_a_source_to_a_function(stack: Evaluation) -> None:
    """A second one is a ResourceConflictException (Lambda API reference, CreateEventSourceMapping)."""
    mappings = stack.of_type("aws:lambda/eventSourceMapping:EventSourceMapping").values()
    pairs = Counter((props["eventSourceArn"], props["functionName"]) for props in mappings)
    assert len(pairs) >= 5
    assert [pair for pair, times in pairs.items() if times > 1] == []


def test_a_stream_has_two_readers_at_most(stack: Evaluation) -> None:
    """More readers of one shard are throttled (DynamoDB Developer Guide, "Reading and processing a stream")."""
    mappings = stack.of_type("aws:lambda/eventSourceMapping:EventSourceMapping").values()
    readers = Counter(props["eventSourceArn"] for props in mappings if "startingPosition" in props)
    assert readers
    assert max(readers.values()) <= 2


def alternatives(pattern: Any) -> Iterator[Any]:
    """What each leaf of a filter's pattern may be."""
    for value in pattern.values():
        yield from alternatives(value) if isinstance(value, dict) else value


def test_filters_name_values_and_no_beginnings_or_ends(stack: Evaluation) -> None:
    """``suffix`` took whatever ended so for an outcome; a list says which statuses are outcomes."""
    mappings = stack.of_type("aws:lambda/eventSourceMapping:EventSourceMapping")
    patterns = [
        json.loads(one["pattern"])
        for props in mappings.values()
        for one in props.get("filterCriteria", {}).get("filters", ())
    ]
    assert len(patterns) >= 8
    for pattern in patterns:
        for one in alternatives(pattern):
            assert isinstance(one, str) or one == {"exists": True}, pattern
    failed = [one for one in patterns if "sync_data:FAILED" in json.dumps(one)]
    assert len(failed) == 2
    for pattern in failed:
        assert set(FAILED_STATUSES) < set(pattern["dynamodb"]["NewImage"]["status"]["S"])
