"""APP-03: the state before a version, on first delivery, redelivery, redrive and resync."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.commands.model import Command
from handlers.commands.targets.previous import StatesBefore
from handlers.commands.targets.registry import Registry, load_registry
from handlers.commands.ttl_policies import TtlPolicies, TtlPolicy
from handlers.core.errors import RegistryError
from handlers.operations.resync import Resync, ResyncSelection
from handlers.operations.skip import Skipper
from handlers.store.port import DATA, HISTORY
from tests.support.pipelines import World, order
from tests.support.written_modules import WriteModule, written_modules

HEADER = "from handlers.commands.targets.registry import sync_handler\n"
ASKS = "@sync_handler('ORDER', id='old-and-new')\nclass Asks:\n    seen = []\n"
TAKES = "    def up(self, command, previous): self.seen.append((command, previous))\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteModule]:
    with written_modules(tmp_path, monkeypatch, HEADER) as write:
        yield write


class Asked:
    """A handler in the pipeline that gets the state before, and may fail."""

    def __init__(self, world: World) -> None:
        self.before = StatesBefore(world.store, world.clock.now, world.attributes.decoded)
        self.seen: list[tuple[int, int | None, Any]] = []
        self.fails = False

    def up(self, command: Command) -> None:
        previous = self.before(command)
        version, attributes = (None, None) if previous is None else (previous.version, previous.attributes)
        self.seen.append((command.version, version, attributes))
        if self.fails:
            raise RuntimeError("not today")


def world_with_target(**options: Any) -> tuple[World, Asked]:
    world = World(**options)
    asked = Asked(world)
    world.pipeline.synchroniser._registry = Registry({"asked": ("ORDER", asked)})
    return world, asked


def test_app_03_the_first_version_has_nothing_before_and_the_next_ones_their_predecessor() -> None:
    world, asked = world_with_target()
    for version in range(3):
        world.publish_and_apply(order(version, n=version))
    assert asked.seen == [(1, None, None), (2, 1, {"n": 0}), (3, 2, {"n": 1})]


def test_app_03_a_late_redelivery_gets_the_same_state_as_the_first_one() -> None:
    world, asked = world_with_target()
    runs = [world.publish_and_apply(order(version, n=version)) for version in range(3)]
    row = world.repository.command(runs[1].key)
    assert row is not None
    asked.up(Command.from_row(row))
    assert asked.seen[-1] == asked.seen[1] == (2, 1, {"n": 0})


def test_app_03_after_a_failure_and_a_redrive_it_is_still_the_last_applied_state() -> None:
    world, asked = world_with_target()
    world.publish_and_apply(order(0, n=0))
    asked.fails = True
    run = world.publish(order(1, n=1))
    with pytest.raises(RuntimeError):
        world.apply(run)
    with pytest.raises(RuntimeError):
        world.apply(run)  # as a redriven attempt does: data may hold version 2 by now
    assert asked.seen[1:] == [(2, 1, {"n": 0}), (2, 1, {"n": 0})]


def test_app_03_a_resync_hands_over_the_state_before_the_current_one(module: WriteModule) -> None:
    world = World()
    for version in range(3):
        world.publish_and_apply(order(version, n=version))
    before = StatesBefore(world.store, world.clock.now, world.attributes.decoded)
    registry = load_registry([module("prev_resync", ASKS + TAKES)], {}, before=before)
    target = registry.sync_handler("old-and-new")
    resync = Resync(
        world.store, world.clock, target, decoded=world.attributes.decoded, run_id="r", sleep=world.clock.advance
    )
    resync.run(ResyncSelection("old-and-new", ("ORDER",)))
    import prev_resync  # type: ignore[import-not-found]

    ((command, previous),) = prev_resync.Asks.seen
    assert (command.version, previous.version, previous.attributes) == (3, 2, {"n": 1})


def test_a_skipped_version_was_never_a_state() -> None:
    world, asked = world_with_target()
    world.publish_and_apply(order(0, n=0))
    run = world.publish(order(1, n=1))
    world.pipeline.check_version(run, first_entry=True)
    world.pipeline.record_failure(run, world.failure("RuntimeError"))
    Skipper(world.store, world.clock, world.pipeline.finisher, world.pipeline.record_failure)(run.key)
    world.publish_and_apply(order(2, n=2))
    assert asked.seen[-1] == (3, 1, {"n": 0})


def test_a_version_that_reached_the_read_model_before_it_was_skipped_was_one() -> None:
    world, asked = world_with_target()
    world.publish_and_apply(order(0, n=0))
    asked.fails = True
    run = world.publish(order(1, n=1))
    with pytest.raises(RuntimeError):
        world.apply(run)
    world.pipeline.record_failure(run, world.failure("RuntimeError"))
    asked.fails = False
    Skipper(world.store, world.clock, world.pipeline.finisher, world.pipeline.record_failure)(run.key)
    world.publish_and_apply(order(2, n=2))
    assert asked.seen[-1] == (3, 2, {"n": 1})


def test_where_the_data_row_had_expired_the_log_has_the_previous_state() -> None:
    world, asked = world_with_target(ttl=TtlPolicies({"data": TtlPolicy(1)}))
    world.publish_and_apply(order(0, n=0))
    world.clock.advance(2 * 86_400)
    world.publish_and_apply(order(1, n=1))
    assert world.store.query(HISTORY, "TENANT#t1").items == []
    assert asked.seen[-1] == (2, 1, {"n": 0})


def test_an_older_copy_is_not_the_state_before_where_the_data_row_had_expired_later() -> None:
    """History has version 1 from the day of version 2; version 2 was not copied when version 3 came."""
    world, asked = world_with_target(ttl=TtlPolicies({"data": TtlPolicy(1)}))
    world.publish_and_apply(order(0, n=0))
    world.publish_and_apply(order(1, n=1))
    world.clock.advance(2 * 86_400)
    world.publish_and_apply(order(2, n=2))
    assert [row["version"] for row in world.store.query(HISTORY, "TENANT#t1").items] == [1]
    assert asked.seen[-1] == (3, 2, {"n": 1})


def test_what_neither_history_nor_the_log_has_is_none() -> None:
    world, asked = world_with_target(ttl=TtlPolicies({"commands": TtlPolicy(1), "history": TtlPolicy(1)}))
    for version in range(3):
        world.publish_and_apply(order(version, n=version))
    world.clock.advance(2 * 86_400)
    row = world.store.get(DATA, "TENANT#t1", "ORDER#o1")
    assert row is not None
    assert asked.before(Command.from_row({**row, "sk": row["csk"]})) is None


def test_large_attributes_come_whole() -> None:
    world, asked = world_with_target(inline_limit=1024)
    world.publish_and_apply(order(0, text="x" * 2000))
    world.publish_and_apply(order(1, n=1))
    assert asked.seen[-1] == (2, 1, {"text": "x" * 2000})


def test_a_class_that_takes_one_parameter_costs_no_read(module: WriteModule) -> None:
    def before(command: Command) -> Command | None:
        raise AssertionError("nobody asked")

    text = ASKS + "    def up(self, command): self.seen.append(command)\n"
    registry = load_registry([module("prev_alone", text)], {}, before=before)
    registry.sync_handler("old-and-new").up("a command")  # type: ignore[arg-type]


@pytest.mark.parametrize("parameters", ["self", "self, command, previous, more"])
def test_another_number_of_parameters_is_refused(module: WriteModule, parameters: str) -> None:
    text = ASKS + f"    def up({parameters}): pass\n"
    with pytest.raises(RegistryError, match=r"prev_bad.Asks: up takes \(command\) or \(command, previous\), not"):
        load_registry([module("prev_bad", text)], {}, before=lambda command: None)
