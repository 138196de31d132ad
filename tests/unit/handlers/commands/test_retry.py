"""``publish_with_retry``, for both ways to publish."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from handlers.commands.model import Command, CommandInput
from handlers.commands.publishing.retry import MAX_ATTEMPTS, publish_with_retry
from handlers.core.errors import NotFound, PendingVersions, RequestConflict, ValidationError, VersionConflict
from handlers.core.log import LOGGER_NAME
from handlers.store.port import COMMANDS
from tests.support.pipelines import CONTEXT, KEY, World, order

MODES = ["async", "sync"]


class Counter:
    """Adds one to ``n``; before it answers, others may publish."""

    def __init__(self, *rivals: Callable[[], object]) -> None:
        self.rivals = list(rivals)
        self.seen: list[int | None] = []

    def __call__(self, latest: Command | None) -> CommandInput:
        self.seen.append(None if latest is None else latest.version)
        if self.rivals:
            self.rivals.pop(0)()
        return order(0, n=1 if latest is None else latest.attributes["n"] + 1)


def run(world: World, mode: str, build: Any, attempts: int = 3, **options: Any) -> Command | None:
    publish = world.publisher.publish_async if mode == "async" else world.sync.publish_sync
    arguments = {"key": KEY, "context": CONTEXT, "publisher": world.publisher, "publish": publish, **options}
    return publish_with_retry(build, attempts, **arguments)


def rival(world: World, version: int, n: int) -> Callable[[], object]:
    return lambda: world.sync.publish_sync(order(version, n=n), CONTEXT)


@pytest.mark.parametrize("mode", MODES)
def test_without_a_conflict_it_builds_once(mode: str) -> None:
    world = World()
    build = Counter()
    command = run(world, mode, build)
    assert command is not None
    assert (command.version, command.attributes, build.seen) == (1, {"n": 1}, [None])


@pytest.mark.parametrize("mode", MODES)
def test_a_conflict_is_built_again_on_what_is_there(mode: str, caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    build = Counter(rival(world, 0, 10), rival(world, 1, 20))
    conflicts: list[tuple[int, int]] = []
    with caplog.at_level(logging.INFO, LOGGER_NAME):
        command = run(world, mode, build, on_retry=lambda attempt, error: conflicts.append((attempt, error.actual)))
    assert command is not None
    assert (command.version, command.attributes) == (3, {"n": 21})
    assert build.seen == [None, 1, 2]
    assert conflicts == [(1, 1), (2, 2)]
    assert [record.message for record in caplog.records].count("conflict, rebuilding") == 2


@pytest.mark.parametrize("mode", MODES)
def test_attempts_are_bounded(mode: str) -> None:
    world = World()
    build = Counter(*(rival(world, version, version * 10) for version in range(5)))
    with pytest.raises(VersionConflict, match="published on version 1, but the latest version is 2"):
        run(world, mode, build, attempts=2)
    assert build.seen == [None, 1]
    assert [row["version"] for row in world.repository.versions(KEY)] == [1, 2]


@pytest.mark.parametrize("attempts", [1, MAX_ATTEMPTS])
def test_the_ends_of_the_range_are_allowed(attempts: int) -> None:
    assert run(World(), "async", Counter(), attempts=attempts) is not None


@pytest.mark.parametrize("attempts", [0, -1, MAX_ATTEMPTS + 1, True, 1.5])
def test_the_number_of_attempts_has_a_range(attempts: Any) -> None:
    world = World()
    with pytest.raises(ValidationError, match=r"attempts: .* a whole number from 1 to 20"):
        run(world, "async", Counter(), attempts=attempts)


@pytest.mark.parametrize("mode", MODES)
def test_build_may_want_nothing(mode: str) -> None:
    world = World()
    assert run(world, mode, lambda latest: None) is None
    assert world.repository.latest(KEY) is None


@pytest.mark.parametrize("mode", MODES)
def test_not_dirty_is_none(mode: str) -> None:
    world = World()
    world.publish_and_apply(order(0, n=1))
    assert run(world, mode, lambda latest: order(-1, n=1)) is None


def test_the_version_of_build_does_not_count() -> None:
    """-1 would overwrite what build did not see."""
    world = World()
    world.publish_and_apply(order(0, n=1))
    seen: list[int] = []

    def build(latest: Command | None) -> CommandInput:
        assert latest is not None
        seen.append(latest.version)
        if len(seen) == 1:
            world.publish_and_apply(order(1, n=100))
        return order(-1, n=latest.attributes["n"] + 1)

    command = run(world, "async", build)
    assert command is not None
    assert (command.version, command.attributes, seen) == (3, {"n": 101}, [1, 2])


def test_another_entity_is_refused() -> None:
    world = World()
    with pytest.raises(ValidationError, match="TENANT#t1 ORDER#o2"):
        run(world, "async", lambda latest: order(0, code="o2"))
    assert world.repository.latest(KEY) is None


def test_a_pending_version_is_no_conflict_to_repeat() -> None:
    world = World()
    world.publish(order(0, n=1))
    build = Counter()
    with pytest.raises(PendingVersions):
        run(world, "sync", build)
    assert build.seen == [1]


@pytest.mark.parametrize("mode", MODES)
def test_a_repeated_request_gives_the_first_result_without_building(mode: str) -> None:
    world = World()
    context = replace(CONTEXT, request_id="r-1")
    build = Counter()
    first = run(world, mode, build, context=context)
    if mode == "async":
        world.publish(order(1, n=50))
    else:
        world.sync.publish_sync(order(1, n=50), CONTEXT)
    assert run(world, mode, build, context=context) == first
    assert build.seen == [None]
    assert len(list(world.repository.versions(KEY))) == 2


def test_a_request_id_of_another_entity_is_refused() -> None:
    world = World()
    context = replace(CONTEXT, request_id="r-1")
    world.publisher.publish_async(order(0, code="o2", n=1), context)
    with pytest.raises(RequestConflict):
        run(world, "async", Counter(), context=context)


def test_an_expired_first_result_is_not_built_again() -> None:
    world = World()
    context = replace(CONTEXT, request_id="r-1")
    run(world, "async", Counter(), context=context)
    del world.memory._items[COMMANDS, KEY.pk, KEY.version_sk(1)]
    with pytest.raises(NotFound, match="has expired"):
        run(world, "async", Counter(), context=context)


def test_a_repeated_request_with_fractions_that_are_whole() -> None:
    world = World()
    context = replace(CONTEXT, request_id="r-1")
    first = run(world, "async", lambda latest: order(0, n=1.0), context=context)
    row = world.memory._items[COMMANDS, KEY.pk, KEY.version_sk(1)]
    row["attributes"] = {"n": 1}  # as DynamoDB gives it back
    assert run(world, "async", Counter(), context=context) == first


def test_where_the_command_rows_have_expired_build_gets_the_data_row() -> None:
    world = World()
    world.publish_and_apply(order(0, n=7))
    world.memory._items[COMMANDS, KEY.pk, KEY.version_sk(1)]["ttl"] = 1
    command = run(world, "async", Counter())
    assert command is not None
    assert (command.version, command.attributes) == (2, {"n": 8})


@pytest.mark.parametrize("mode", MODES)
def test_large_attributes_are_built_from_whole_ones(mode: str) -> None:
    world = World()
    text = "x" * 100_000

    def build(latest: Command | None) -> CommandInput:
        count = 0 if latest is None else latest.attributes["n"]
        return order(0, n=count + 1, text=text)

    for _ in range(3):
        command = run(world, mode, build)
        if mode == "async":
            assert command is not None
    assert command is not None
    assert command.attributes == {"n": 3, "text": text}
