from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from handlers.commands.pipeline.run import LostRun, Run
from tests.support.pipelines import KEY, World, order

ENTERED = "2026-01-01T00:00:00.000Z"
LATER = "2026-01-01T00:05:00.000Z"


@pytest.fixture
def world() -> World:
    return World()


def wait(world: World, run: Run, token: str, entered: str = ENTERED) -> dict[str, bool]:
    world.workflows.open_tokens.add(token)
    return world.pipeline.wait(run, token, entered)


def test_ord_06_predecessor_finished_before_the_token_was_stored(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    assert world.pipeline.check_version(second, first_entry=True) == {"result": 1}
    world.apply(first)
    assert wait(world, second, "t2") == {"waiting": False}
    expected = {"Payload": [[{"result": "resumed_by_prev_version", "prevVersion": 1}]]}
    assert world.workflows.resumed == [("t2", expected)]
    assert world.pipeline.check_version(second, first_entry=False) == {"result": 0}


def test_ord_07_predecessor_finishes_after_the_token_was_stored(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    assert wait(world, second, "t2") == {"waiting": True}
    assert world.row(2)["status"] == "wait_prev_command:STARTED"
    world.apply(first)
    assert [token for token, _ in world.workflows.resumed] == ["t2"]


def test_ord_08_both_sides_resume(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    world.pipeline.check_version(first, first_entry=True)
    wait(world, second, "t2")
    world.pipeline.finish(first)
    world.workflows.open_tokens.clear()
    assert world.pipeline.wait(second, "t2", ENTERED) == {"waiting": False}
    assert len(world.workflows.resumed) == 1
    world.apply(second)
    assert world.row(2)["status"] == "finish:FINISHED"


def test_waiting_shows_until_the_command_proceeds_and_the_token_goes_then(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    wait(world, second, "t2")
    since = world.row(2)["waitingSince"]
    world.clock.advance(300)
    assert world.pipeline.check_version(second, first_entry=False) == {"result": 1}
    wait(world, second, "t2b", LATER)
    assert world.row(2)["status"] == "wait_prev_command:STARTED"
    assert world.row(2)["waitingSince"] == since
    world.apply(first)
    world.apply(second)
    assert "taskToken" not in world.row(2)


def test_a_late_wait_never_overwrites_a_newer_token(world: World) -> None:
    world.publish(order(0, n=1))
    second = world.publish(order(1, n=2))
    wait(world, second, "new", LATER)
    assert wait(world, second, "old", ENTERED) == {"waiting": False}
    assert world.row(2)["taskToken"] == "new"
    assert world.workflows.resumed == []


def test_a_whole_second_may_come_without_its_fraction(world: World) -> None:
    world.publish(order(0, n=1))
    second = world.publish(order(1, n=2))
    wait(world, second, "old", "2026-01-01T00:00:13Z")
    assert wait(world, second, "new", "2026-01-01T00:00:13.192Z") == {"waiting": True}
    assert world.row(2)["taskToken"] == "new"


def test_a_wait_of_a_command_that_was_claimed_elsewhere_ends_at_once(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    zombie = Run(second.key, second.id, 1, "zombie")
    world.apply(first)
    assert world.pipeline.check_version(second, first_entry=True) == {"result": 0}
    assert wait(world, zombie, "z") == {"waiting": False}
    assert [token for token, _ in world.workflows.resumed] == ["z"]
    assert "taskToken" not in world.row(2)


def test_a_predecessor_that_expired_wakes_the_waiter(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    world.apply(first)
    world.memory._items["commands", KEY.pk, KEY.version_sk(1)]["ttl"] = 1
    wait(world, second, "t2")
    assert [token for token, _ in world.workflows.resumed] == ["t2"]


def test_finish_repeated_completes_the_tail_once(world: World) -> None:
    first = world.publish(order(0, n=1))
    world.apply(first)
    before = world.row(1)
    assert world.pipeline.finish(first) == {"result": "done", "woken": False}
    assert world.row(1) == before


def test_a_tail_that_a_crash_left_is_completed_by_a_repeated_check(world: World) -> None:
    first, second = world.publish(order(0, n=1)), world.publish(order(1, n=2))
    wait(world, second, "t2")
    world.pipeline.check_version(first, first_entry=True)
    world.pipeline.progress.done(first)
    assert world.row(1)["status"] == "finish:STARTED"
    assert world.pipeline.check_version(first, first_entry=True) == {"result": 2}
    assert [token for token, _ in world.workflows.resumed] == ["t2"]
    assert world.row(1)["status"] == "finish:FINISHED"


STEPS = ("set_ttl_command", "history_copy", "transform_data", "sync_data", "finish")


@pytest.mark.parametrize("step", STEPS)
def test_pipe_14_a_zombie_writes_nothing(world: World, step: str) -> None:
    world.publish_and_apply(order(0, n=1))
    run = world.publish(order(1, n=2))
    zombie = Run(run.key, run.id, 1, "zombie")
    assert world.pipeline.check_version(zombie, first_entry=True) == {"result": 0}
    world.clock.advance(121)
    world.apply(run)
    world.publish_and_apply(order(2, n=3))
    before = dict(world.memory._items)
    arguments = ("data",) if step == "sync_data" else ()
    if step == "finish":  # the command is DONE, which is what the zombie wanted
        assert world.pipeline.finish(zombie) == {"result": "done", "woken": False}
    else:
        with pytest.raises(LostRun):
            getattr(world.pipeline, step)(zombie, *arguments)
    assert world.memory._items == before


def test_pipe_14_a_zombie_in_the_middle_of_the_data_write_is_fenced_by_version(world: World) -> None:
    run = world.publish_and_apply(order(0, n=1))
    late = world.row(1)
    world.publish_and_apply(order(1, n=2))
    assert run.key.version == 1
    assert world.pipeline.applier.write_data(late) == "ALREADY_APPLIED"
    data = world.repository.data(KEY)
    assert data is not None
    assert data["version"] == 2


def test_finish_without_a_successor_is_one_write_where_states_are_not_shown() -> None:
    """Decision record 0050: DONE and its tail in one transaction, and nothing behind it."""
    world = World(detail="terminal")
    run = world.publish(order(0, n=1))
    world.pipeline.check_version(run, first_entry=True)
    writes: list[str] = []

    def counted(name: str, call: Callable[..., Any], *given: Any) -> Any:
        writes.append(name)
        return call(*given)

    for name in ("update", "transact", "put"):
        setattr(world.store, name, partial(counted, name, getattr(world.store, name)))
    assert world.pipeline.finish(run, []) == {"result": "done", "woken": False}
    assert (writes, world.row(1)["status"]) == (["transact"], "finish:FINISHED")
