"""What Lambda refuses of event source mappings, whatever their filters."""

from __future__ import annotations

from collections import Counter

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
