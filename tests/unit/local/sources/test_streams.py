from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.functions.model import InvokeResult, TooManyRequests
from local.scheduler import Scheduler
from local.sources.faults import DeliveryFaults
from local.sources.filters import FilterSet
from local.sources.mappings import StreamMapping
from local.sources.streams import StreamSource
from tests.unit.local.sources.fakes import FAILURES, STREAM, FakeFunction, FakeStream, shape

FIXTURES = Path(__file__).parents[3] / "fixtures" / "events"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:events"


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text())["event"]


class Bench:
    """A source over fakes. ``sizes`` and ``keys`` tell what the function saw."""

    def __init__(
        self,
        body: Callable[[dict[str, Any]], Any],
        *,
        seed: int | None = None,
        faults: DeliveryFaults | None = None,
        invoker: Any = None,
        **mapping: Any,
    ) -> None:
        self.scheduler = Scheduler.virtual(seed)
        self.stream = FakeStream(self.scheduler)
        self.function = invoker or FakeFunction(body)
        self.discarded: list[tuple[str, Mapping[str, Any]]] = []
        defaults: dict[str, Any] = {
            "filters": FilterSet([]),
            "batch_size": 10,
            "partial_responses": True,
            "bisect": True,
            "maximum_retry_attempts": 2,
            "on_failure_arn": FAILURES,
        }
        self.source = StreamSource(
            self.scheduler,
            StreamMapping(id="esm-1", function="events", stream_arn=STREAM, **{**defaults, **mapping}),
            self.stream,
            self.function,
            lambda arn, message: self.discarded.append((arn, message)),
            function_arn=FUNCTION_ARN,
            faults=faults,
        )

    def run(self, *keys: str) -> None:
        for key in keys:
            self.stream.put(key)
        self.source.wake()
        self.scheduler.run_until_idle()
        assert self.source.idle

    @property
    def keys(self) -> list[list[str]]:
        return [[key_of(record) for record in event["Records"]] for event in self.function.events]


def key_of(record: Mapping[str, Any]) -> str:
    return str(record["dynamodb"]["Keys"]["pk"]["S"])


def sequence_of(record: Mapping[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def accept(event: dict[str, Any]) -> None:
    return None


def report(*bad: str) -> Callable[[dict[str, Any]], Any]:
    """Works through the whole batch and reports the bad ones."""

    def body(event: dict[str, Any]) -> Any:
        failed = [sequence_of(one) for one in event["Records"] if key_of(one) in bad]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    return body


def explode(*bad: str) -> Callable[[dict[str, Any]], Any]:
    def body(event: dict[str, Any]) -> Any:
        for one in event["Records"]:
            if key_of(one) in bad:
                raise ValueError(f"cannot process {key_of(one)}")

    return body


def test_records_from_before_the_start_are_read_in_batches() -> None:
    bench = Bench(accept, batch_size=2)
    bench.run("a", "b", "c", "d", "e")
    assert bench.keys == [["a", "b"], ["c", "d"], ["e"]]


def test_latest_starts_behind_the_newest_record() -> None:
    scheduler = Scheduler.virtual()
    stream = FakeStream(scheduler)
    stream.put("old")
    function = FakeFunction(accept)
    mapping = StreamMapping(id="m", function="events", stream_arn=STREAM, filters=FilterSet([]), from_start=False)
    source = StreamSource(scheduler, mapping, stream, function, lambda arn, m: None, function_arn=FUNCTION_ARN)
    stream.put("new")
    source.wake()
    scheduler.run_until_idle()
    assert [[key_of(one) for one in event["Records"]] for event in function.events] == [["new"]]


def test_event_has_the_documented_shape() -> None:
    bench = Bench(accept)
    bench.run("a")
    ours, documented = bench.function.events[0], fixture("dynamodb_stream.json")
    expected = shape(documented["Records"][0])
    actual = shape(ours["Records"][0])
    created = actual["dynamodb"].pop("ApproximateCreationDateTime")
    assert created == "float"
    for images in ("Keys", "NewImage"):  # the attributes differ by table
        actual["dynamodb"][images] = expected["dynamodb"][images] = {}
    assert list(ours) == list(documented)
    assert actual == expected


def test_idle_source_holds_no_foreground_timer() -> None:
    bench = Bench(accept)
    bench.run("a")
    before = bench.scheduler.now()
    bench.scheduler.run_until_idle()
    assert bench.scheduler.now() == before
    assert bench.source.idle


def test_filter_drops_records_before_the_call() -> None:
    wanted = json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": {"status": {"S": ["publish:ACCEPTED"]}}}})
    bench = Bench(accept, filters=FilterSet([wanted]))
    bench.stream.put("sync", status="publish:SYNC")
    bench.run("async")
    assert bench.keys == [["async"]]


def test_partial_failure_repeats_from_the_lowest_failed_record() -> None:
    tries = {"count": 0}

    def body(event: dict[str, Any]) -> Any:
        tries["count"] += 1
        return report("d", "b")(event) if tries["count"] == 1 else None

    bench = Bench(body)
    bench.run("a", "b", "c", "d")
    assert bench.keys == [["a", "b", "c", "d"], ["b", "c", "d"]]
    assert bench.discarded == []


@pytest.mark.parametrize("identifier", ["", None, 7])
def test_unusable_identifier_fails_the_whole_batch(identifier: Any) -> None:
    answers = iter([{"batchItemFailures": [{"itemIdentifier": identifier}]}])
    bench = Bench(lambda event: next(answers, None), bisect=False)
    bench.run("a", "b")
    assert bench.keys == [["a", "b"], ["a", "b"]]


def test_bad_key_name_fails_the_whole_batch() -> None:
    answers = iter([{"batchItemFailures": [{"id": "1"}]}])
    bench = Bench(lambda event: next(answers, None), bisect=False)
    bench.run("a", "b")
    assert bench.keys == [["a", "b"], ["a", "b"]]


@pytest.mark.parametrize("answer", [None, {}, {"batchItemFailures": None}, {"batchItemFailures": []}, "text" * 0])
def test_empty_answers_are_success(answer: Any) -> None:
    bench = Bench(lambda event: answer)
    bench.run("a", "b")
    assert bench.keys == [["a", "b"]]


def test_answer_has_no_meaning_without_partial_responses() -> None:
    bench = Bench(report("a"), partial_responses=False)
    bench.run("a", "b")
    assert bench.keys == [["a", "b"]]


def test_dup_06_poison_record_is_isolated_by_bisecting() -> None:
    bench = Bench(explode("c"))
    bench.run("a", "b", "c", "d", "e")
    assert bench.keys == [
        ["a", "b", "c", "d", "e"],
        ["a", "b"],
        ["c", "d", "e"],
        ["c"],  # halves go in order; splitting is no retry
        ["c"],
        ["c"],
        ["d", "e"],
    ]
    assert len(bench.discarded) == 1
    arn, message = bench.discarded[0]
    assert arn == FAILURES
    assert message["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert message["DDBStreamBatchInfo"]["batchSize"] == 1
    assert message["DDBStreamBatchInfo"]["startSequenceNumber"] == sequence_of(bench.stream.records[2])


def test_dup_06_poison_record_in_a_batch_with_partial_responses() -> None:
    bench = Bench(report("c"), maximum_retry_attempts=2)
    bench.run("a", "b", "c", "d", "e")
    # the function works through the batch, so d and e are done although they are repeated with c
    assert bench.keys == [["a", "b", "c", "d", "e"], ["c", "d", "e"], ["c", "d", "e"]]
    info = bench.discarded[0][1]["DDBStreamBatchInfo"]
    assert info["startSequenceNumber"] == sequence_of(bench.stream.records[2])
    assert info["endSequenceNumber"] == sequence_of(bench.stream.records[4])
    bench.run("f")
    assert bench.keys[-1] == ["f"], "the stream goes on behind the discarded batch"


def test_message_about_a_discarded_batch_has_the_documented_shape() -> None:
    bench = Bench(explode("a"))
    bench.run("a")
    message, documented = bench.discarded[0][1], fixture("stream_on_failure.json")
    assert shape(message) == shape(documented)
    assert message["requestContext"] == {
        "requestId": "request-3",
        "functionArn": FUNCTION_ARN,
        "condition": "RetryAttemptsExhausted",
        "approximateInvokeCount": 3,
    }
    assert message["responseContext"] == documented["responseContext"]
    assert message["timestamp"] == "2026-01-01T00:00:03.000Z"
    assert message["DDBStreamBatchInfo"]["approximateArrivalOfFirstRecord"] == "2026-01-01T00:00:00Z"


def test_partial_failure_is_no_function_error_in_the_message() -> None:
    bench = Bench(report("a"))
    bench.run("a")
    assert bench.discarded[0][1]["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_retries_back_off_and_block_what_comes_behind() -> None:
    bench = Bench(explode("a"), batch_size=1, maximum_retry_attempts=3)
    start = bench.scheduler.now()
    bench.run("a", "b")
    assert bench.keys == [["a"], ["a"], ["a"], ["a"], ["b"]]
    assert bench.scheduler.now() - start == 1 + 2 + 4


def test_zero_retries_discard_after_the_first_call() -> None:
    bench = Bench(explode("a"), maximum_retry_attempts=0)
    bench.run("a")
    assert bench.keys == [["a"]]
    assert bench.discarded[0][1]["requestContext"]["approximateInvokeCount"] == 1


def test_without_destination_the_batch_is_only_dropped() -> None:
    bench = Bench(explode("a"), on_failure_arn=None)
    bench.run("a", "b")
    assert bench.discarded == []
    assert bench.keys[-1] == ["b"]


def test_records_that_get_too_old_are_discarded_with_their_condition() -> None:
    bench = Bench(explode("a"), maximum_retry_attempts=-1, maximum_record_age=60)
    bench.run("a")
    context = bench.discarded[0][1]["requestContext"]
    assert context["condition"] == "RecordAgeExceeded"
    assert context["approximateInvokeCount"] == len(bench.keys)
    assert bench.scheduler.now() - bench.stream.records[0]["dynamodb"]["ApproximateCreationDateTime"] > 60


def test_endless_retries_end_with_the_retention_of_the_stream() -> None:
    bench = Bench(explode("a"), maximum_retry_attempts=-1)
    start = bench.scheduler.now()
    bench.run("a")
    assert 24 * 3600 < bench.scheduler.now() - start < 24 * 3600 + 61
    assert bench.discarded[0][1]["requestContext"]["condition"] == "RecordAgeExceeded"


class Throttled:
    """Refuses the first calls, as a function without free concurrency does."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.events: list[Any] = []

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        if self.left:
            self.left -= 1
            raise TooManyRequests("no free concurrency")
        self.events.append(payload)
        return InvokeResult(None, None, "r")


def test_throttled_calls_are_repeated_and_are_no_retries() -> None:
    bench = Bench(accept, invoker=Throttled(10), maximum_retry_attempts=0)
    bench.run("a")
    assert bench.keys == [["a"]]
    assert bench.discarded == []


@pytest.mark.parametrize("seed", range(20))
def test_order_per_item_is_kept_in_parallel_lanes_under_failures(seed: int) -> None:
    rng = random.Random(seed)
    done: dict[str, list[int]] = {}

    def body(event: dict[str, Any]) -> Any:
        for one in event["Records"]:
            if rng.random() < 0.3:
                return {"batchItemFailures": [{"itemIdentifier": sequence_of(one)}]}
            done.setdefault(key_of(one), []).append(int(one["dynamodb"]["NewImage"]["version"]["N"]))
        return None

    bench = Bench(body, seed=seed, parallelization_factor=4, batch_size=3, maximum_retry_attempts=-1)
    for version in range(1, 6):
        for key in ("a", "b", "c", "d", "e"):
            bench.stream.put(key, version)
    bench.run()
    assert done == {key: [1, 2, 3, 4, 5] for key in ("a", "b", "c", "d", "e")}


def test_other_lanes_go_on_while_one_waits_for_its_retry() -> None:
    bench = Bench(explode("poison"), parallelization_factor=10, batch_size=1, maximum_retry_attempts=1)
    others = [f"key{number}" for number in range(20)]
    bench.run("poison", *others)
    assert sorted(key for batch in bench.keys for key in batch if key != "poison") == sorted(others)
    first_retry = [position for position, batch in enumerate(bench.keys) if batch == ["poison"]][1]
    assert first_retry > 15


def test_dup_01_duplicates_bring_a_batch_again_later() -> None:
    bench = Bench(accept, faults=DeliveryFaults(random.Random(1), duplicate=1.0, duplicate_after=30.0, delay=5.0))
    start = bench.scheduler.now()
    bench.run("a", "b")
    assert bench.keys == [["a", "b"], ["a", "b"]]
    assert bench.scheduler.now() > start


def test_batching_window_gathers_records() -> None:
    bench = Bench(accept, batching_window=5)
    bench.stream.listeners.append(bench.source.wake)
    bench.stream.put("a")
    bench.scheduler.call_later(2, lambda: bench.stream.put("b"))
    bench.scheduler.run_until_idle()
    assert bench.keys == [["a", "b"]]


def test_disabled_and_stopped_sources_read_nothing() -> None:
    disabled = Bench(accept, enabled=False)
    disabled.run("a")
    stopped = Bench(accept)
    stopped.source.stop()
    stopped.run("a")
    assert disabled.keys == stopped.keys == []
