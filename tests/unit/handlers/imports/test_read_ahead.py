"""What a batch's rows need is read in two calls; what was read may be out of date, and may be missing."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import pytest

from handlers.core.errors import TransientThrottle
from handlers.imports.files.layout import ASYNC, SYNC
from handlers.imports.jobs import status
from handlers.store.port import HISTORY, IMPORT_TMP, Item
from tests.support.import_world import CONTEXT, ImportWorld
from tests.unit.handlers.imports.test_cancel import check_end, created
from tests.unit.handlers.imports.test_route import airports
from tests.unit.handlers.imports.test_sync import check_applied, data, published, put_in_the_read_model

NAMES = ("a", "b", "c", "d")


def waiting(content: bytes, publish: str = SYNC, world: ImportWorld | None = None) -> tuple[ImportWorld, list[Any]]:
    """A world in which a file's rows are in the queue, and their messages."""
    world = world or ImportWorld(publish=publish, checks=False)
    created(world, content)
    world.run_until(lambda: all(name == "queue" for name, _ in world.pending), only="loader")
    world.run_until(lambda: False, only="import stream")
    return world, [message for name, message in world.pending if name == "queue"]


def deliver(world: ImportWorld, messages: list[Any]) -> tuple[Counter[str], list[Item]]:
    """The calls of one delivery of all messages, and what is to be redelivered."""
    before = len(world.gate.calls)
    for message in messages:
        message.receives = 1
    answer = world.worker([message.record(str(number)) for number, message in enumerate(messages)])
    return Counter(world.gate.calls[before:]), answer["batchItemFailures"]


@pytest.mark.parametrize(
    ("publish", "calls"),
    [
        (SYNC, {"get_each": 2, "query": 4, "transact": 4}),
        (ASYNC, {"get_each": 1, "query": 8, "get": 12, "transact": 4}),
    ],
)
def test_a_batch_is_read_in_two_calls(publish: str, calls: dict[str, int]) -> None:
    world, messages = waiting(airports(*NAMES), publish)
    assert deliver(world, messages) == (calls, [])
    assert len(world.commands()) == 4


def test_a_message_alone_is_read_as_before() -> None:
    world, messages = waiting(airports("a"))
    assert deliver(world, messages) == ({"get": 2, "query": 1, "transact": 1}, [])


def test_what_was_not_read_ahead_is_read_by_its_row(caplog: pytest.LogCaptureFixture) -> None:
    world, messages = waiting(airports(*NAMES))

    def throttle(call: str) -> None:
        if call == "get_each":
            raise TransientThrottle("get_each")

    world.gate.checkpoint = throttle
    with caplog.at_level(logging.WARNING):
        calls, failed = deliver(world, messages)
    assert (calls, failed) == ({"get_each": 1, "get": 8, "query": 4, "transact": 4}, [])
    assert [record.message for record in caplog.records] == ["not read ahead"]
    check_applied(world)


def test_a_key_that_dynamodb_did_not_get_to_is_read_by_its_row() -> None:
    world, messages = waiting(airports(*NAMES))
    read = world.memory.get_each
    world.memory.get_each = lambda keys: dict(list(read(keys).items())[1:])  # type: ignore[method-assign]
    # The first row, and of the other three the first data row.
    assert deliver(world, messages) == ({"get_each": 2, "get": 3, "query": 4, "transact": 4}, [])
    check_applied(world)


def test_rows_of_one_entity_in_a_batch_are_applied_one_after_the_other() -> None:
    """The second sets back what the first changed: with what was read before both, it would seem to be unchanged."""
    world, first = waiting(airports("old"))
    assert deliver(world, first)[1] == []
    world.pending.clear()
    _, changed = waiting(airports("new"), world=world)
    world.pending.clear()
    world.clock.advance(1)
    _, changed_back = waiting(airports("old"), world=world)
    _, failed = deliver(world, [*changed, *changed_back])
    assert failed == []
    assert [one["name"] for one in sorted(world.commands(), key=lambda one: one["version"])] == ["old", "new", "old"]
    assert (data(world)["AIRPORT#A000"]["name"], data(world)["AIRPORT#A000"]["version"]) == ("old", 3)
    assert {row["sk"] for row in world.memory.scan(HISTORY).items} == {
        "AIRPORT#A000@0000000001",
        "AIRPORT#A000@0000000002",
    }


def test_a_version_that_came_after_the_read_is_not_overwritten() -> None:
    world, messages = waiting(airports(*NAMES))

    def publish(call: str) -> None:
        if call == "query" and not world.commands():
            put_in_the_read_model(world, published(world, "A002", "theirs"))
            world.run_until(lambda: False, only="pipeline")

    world.gate.checkpoint = publish
    calls, failed = deliver(world, messages)
    assert failed == []
    assert calls == {"get_each": 2, "query": 5, "get": 1, "transact": 5}  # read again after the refused transaction
    versions = sorted((one["version"], one["name"]) for one in world.commands() if one["code"] == "A002")
    assert versions == [(1, "theirs"), (2, "c")]
    assert len(world.commands()) == 5
    assert (data(world)["AIRPORT#A002"]["version"], data(world)["AIRPORT#A002"]["name"]) == (2, "c")
    (kept,) = world.memory.scan(HISTORY).items
    assert (kept["sk"], kept["name"]) == ("AIRPORT#A002@0000000001", "theirs")


def test_a_row_that_ended_after_the_read_has_no_command() -> None:
    world, messages = waiting(airports(*NAMES))
    (job,) = world.service.list_imports(CONTEXT)

    def cancel(call: str) -> None:
        if call == "query" and not world.commands():
            world.service.cancel_import(job.id, CONTEXT)
            world.jobs._cancel(job.key)

    world.gate.checkpoint = cancel
    assert deliver(world, messages)[1] == []
    world.gate.checkpoint = lambda _: None
    world.run()
    check_end(world, job)
    assert world.commands() == []


def test_a_message_that_names_no_row_spoils_no_other() -> None:
    world, messages = waiting(airports(*NAMES))
    records = [{**messages[0].record("0"), "body": "{}"}, *(one.record(str(n)) for n, one in enumerate(messages, 1))]
    assert world.worker(records) == {"batchItemFailures": []}
    assert [kind for _, kind in world.letters.letters] == ["ValidationError"]
    assert all(status.is_terminal(row) for row in world.memory.scan(IMPORT_TMP).items if row["kind"] == status.ROW)
