"""SAGA-03: a request id that was withdrawn publishes nothing any more; one that has published is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.commands.keys import EntityKey
from handlers.commands.model import CommandInput
from handlers.commands.publishing.requests import REMEMBERED_DAYS
from handlers.core.errors import RequestWithdrawn, ValidationError
from handlers.store.port import COMMANDS, TransactionFailed
from tests.support.pipelines import CONTEXT, World

KEY = EntityKey("TENANT", "t1", "ORDER", "o1")
ASKED = replace(CONTEXT, request_id="r1")
GIVEN = CommandInput("ORDER", "o1", "o1", {"n": 1})


def test_saga_03_nothing_is_published_after_it() -> None:
    world = World()
    for _ in range(2):
        assert world.publisher.withdraw(KEY, ASKED) is None
    for publish in (world.publisher.publish_async, world.sync.publish_sync):
        with pytest.raises(RequestWithdrawn, match="requestId 'r1' was withdrawn; use a new id"):
            publish(GIVEN, ASKED)
    assert world.repository.latest(KEY) is None
    assert world.publisher.publish_async(GIVEN, replace(CONTEXT, request_id="r2")) is not None


def test_saga_03_what_was_published_before_is_reported_and_stays() -> None:
    world = World()
    command = world.publisher.publish_async(GIVEN, ASKED)
    assert command is not None
    for _ in range(2):
        row = world.publisher.withdraw(KEY, ASKED)
        assert row is not None
        assert (row["sk"], row["attributes"]) == (command.sk, {"n": 1})
    assert world.publisher.publish_async(GIVEN, ASKED) == command


def test_saga_03_a_publish_that_had_looked_before_it_loses_its_write() -> None:
    """The request was new when the publish looked; the withdrawal comes between that and its transaction."""
    world = World()
    transact = world.store.transact
    lost: list[TransactionFailed] = []

    def withdrawn_just_before(writes: object) -> None:
        if not lost:
            assert world.publisher.withdraw(KEY, ASKED) is None
        try:
            transact(writes)  # type: ignore[arg-type]
        except TransactionFailed as failed:
            lost.append(failed)
            raise

    world.store.transact = withdrawn_just_before  # type: ignore[method-assign]
    with pytest.raises(RequestWithdrawn):
        world.publisher.publish_async(GIVEN, ASKED)
    assert len(lost) == 1
    assert world.repository.latest(KEY) is None


def test_it_is_remembered_as_long_as_a_used_id() -> None:
    world = World()
    world.publisher.withdraw(KEY, ASKED)
    row = world.store.get(COMMANDS, KEY.pk, "REQ#r1")
    assert row is not None
    assert row["ttl"] == int(world.clock.now()) + REMEMBERED_DAYS * 86_400
    world.clock.advance(REMEMBERED_DAYS * 86_400 + 1)
    assert world.publisher.publish_async(GIVEN, ASKED) is not None


def test_without_an_id_there_is_nothing_to_withdraw() -> None:
    with pytest.raises(ValidationError, match="requestId"):
        World().publisher.withdraw(KEY, CONTEXT)
