from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.scheduler import Scheduler
from local.sources.faults import DeliveryFaults
from local.sources.filters import FilterSet
from local.sources.mappings import QueueMapping
from local.sources.queues import QueueSource, queue_record
from tests.unit.local.sources.fakes import QUEUE, FakeFunction, FakeQueue, shape

FIXTURES = Path(__file__).parents[3] / "fixtures" / "events"


class Bench:
    def __init__(
        self, body: Callable[[dict[str, Any]], Any], *, faults: DeliveryFaults | None = None, **mapping: Any
    ) -> None:
        self.scheduler = Scheduler.virtual()
        self.queue = FakeQueue(self.scheduler)
        self.function = FakeFunction(body)
        defaults: dict[str, Any] = {"filters": FilterSet([]), "batch_size": 10, "partial_responses": True}
        self.source = QueueSource(
            self.scheduler,
            QueueMapping(id="esm-2", function="worker", queue_arn=QUEUE, **{**defaults, **mapping}),
            self.queue,
            self.function,
            region="eu-west-1",
            faults=faults,
        )
        self.queue.listeners.append(self.source.wake)

    def run(self, *bodies: str) -> None:
        for body in bodies:
            self.queue.send(body)
        self.scheduler.run_until_idle()
        assert self.source.idle

    @property
    def bodies(self) -> list[list[str]]:
        return [[one["body"] for one in event["Records"]] for event in self.function.events]


def report(*bad: str) -> Callable[[dict[str, Any]], Any]:
    def body(event: dict[str, Any]) -> Any:
        failed = [one["messageId"] for one in event["Records"] if one["body"] in bad]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    return body


def test_batches_are_delivered_and_deleted() -> None:
    bench = Bench(lambda event: None, batch_size=2)
    bench.run("a", "b", "c")
    assert bench.bodies == [["a", "b"], ["c"]]
    assert bench.queue.messages == []


def test_event_has_the_documented_shape() -> None:
    bench = Bench(lambda event: None)
    bench.run("Test message.")
    documented = json.loads((FIXTURES / "sqs.json").read_text())["event"]
    assert shape(bench.function.events[0]["Records"][0]) == shape(documented["Records"][0])
    assert bench.function.events[0]["Records"][0]["md5OfBody"] == documented["Records"][0]["md5OfBody"]


def test_message_attributes_have_lambda_s_spelling() -> None:
    message = {
        "MessageId": "m",
        "ReceiptHandle": "r",
        "Body": "b",
        "MD5OfBody": "x",
        "MessageAttributes": {"action": {"DataType": "String", "StringValue": "task-execute"}},
    }
    assert queue_record(message, QUEUE, "eu-west-1")["messageAttributes"] == {
        "action": {
            "stringValue": "task-execute",
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": "String",
        }
    }


def test_only_reported_messages_come_again_after_the_visibility_timeout() -> None:
    answers = iter([report("b"), report()])
    bench = Bench(lambda event: next(answers)(event))
    start = bench.scheduler.now()
    bench.run("a", "b", "c")
    assert bench.bodies == [["a", "b", "c"], ["b"]]
    assert 60 < bench.scheduler.now() - start < 61
    assert bench.function.events[1]["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"


def test_poison_message_reaches_the_dead_letter_queue() -> None:
    bench = Bench(report("poison"))
    bench.run("a", "poison", "b")
    assert bench.bodies == [["a", "poison", "b"], ["poison"], ["poison"]]
    assert [one["Body"] for one in bench.queue.dead] == ["poison"]
    assert bench.queue.messages == []


def test_function_error_keeps_the_whole_batch() -> None:
    def body(event: dict[str, Any]) -> None:
        raise ValueError("no")

    bench = Bench(body)
    bench.run("a", "b")
    assert bench.bodies == [["a", "b"]] * 3
    assert len(bench.queue.dead) == 2


@pytest.mark.parametrize("identifier", ["", None, "unknown"])
def test_unusable_identifier_keeps_the_whole_batch(identifier: Any) -> None:
    answers = iter([{"batchItemFailures": [{"itemIdentifier": identifier}]}])
    bench = Bench(lambda event: next(answers, None))
    bench.run("a", "b")
    assert bench.bodies == [["a", "b"], ["a", "b"]]


def test_without_partial_responses_the_answer_has_no_meaning() -> None:
    bench = Bench(report("a"), partial_responses=False)
    bench.run("a")
    assert bench.bodies == [["a"]]
    assert bench.queue.messages == []


def test_filtered_messages_are_deleted_without_a_call() -> None:
    bench = Bench(lambda event: None, filters=FilterSet(['{"body": {"type": ["wanted"]}}']))
    bench.run('{"type": "wanted"}', '{"type": "other"}', "plain")
    assert bench.bodies == [['{"type": "wanted"}']]
    assert bench.queue.messages == []


def test_maximum_concurrency_limits_batches_in_flight() -> None:
    running = {"now": 0, "most": 0}

    def body(event: dict[str, Any]) -> None:
        running["now"] += 1
        running["most"] = max(running["most"], running["now"])
        bench.scheduler.sleep(1)
        running["now"] -= 1

    bench = Bench(body, batch_size=1, maximum_concurrency=2)
    start = bench.scheduler.now()
    bench.run(*"abcdef")
    assert running["most"] == 2
    assert 3 <= bench.scheduler.now() - start < 3.1


def test_slow_function_sees_its_message_again_when_the_visibility_ends() -> None:
    bench = Bench(lambda event: bench.scheduler.sleep(100))
    bench.run("slow")
    counts = [event["Records"][0]["attributes"]["ApproximateReceiveCount"] for event in bench.function.events]
    assert counts[:2] == ["1", "2"]


def test_duplicate_delivery() -> None:
    bench = Bench(lambda event: None, faults=DeliveryFaults(random.Random(1), duplicate=1.0, delay=3.0))
    bench.run("a")
    assert bench.bodies == [["a"], ["a"]]


def test_batching_window_fills_the_batch() -> None:
    bench = Bench(lambda event: None, batching_window=5)
    bench.queue.send("a")
    bench.scheduler.call_later(2, lambda: bench.queue.messages.append({**bench.queue.messages[0], **second()}))
    bench.run()
    assert bench.bodies == [["a", "b"]]


def second() -> dict[str, Any]:
    return {
        "MessageId": "m2",
        "Body": "b",
        "visible_at": 0.0,
        "Attributes": {"ApproximateReceiveCount": "0", "SentTimestamp": "0", "SenderId": "x"},
    }


def test_stopped_source_receives_nothing() -> None:
    bench = Bench(lambda event: None)
    bench.source.stop()
    bench.run("a")
    assert bench.bodies == []
