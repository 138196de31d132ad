"""INLINE in memory: what is left to a machine, or told, because of time, errors and sizes."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.commands.model import CommandInput
from handlers.commands.starter import execution_name
from handlers.commands.ttl_policies import TtlPolicies, TtlPolicy
from handlers.core.errors import TransientError, TransientThrottle, ValidationError
from handlers.store.port import COMMANDS, DATA, HISTORY
from tests.support.inline_world import AT_ONCE, Inline, other, raising
from tests.support.pipelines import KEY, order


def test_a_machine_is_started_under_the_name_of_the_last_restart() -> None:
    world = Inline()
    run = world.publish(order(0, n=1))
    world.pipeline.progress.restart(run, 0, 0)
    assert world.deliver(world.record(1), seconds=0) == {}
    row = world.row(1)
    assert [name for _, name in world.workflows.started] == [execution_name(row["pk"], row["sk"], row["id"], 1, 1)]


def test_inl_03_without_time_each_command_gets_a_machine() -> None:
    world = Inline("one")
    for version in range(2):
        world.publish(order(version, n=version))
    assert world.deliver(world.record(1), world.record(2), seconds=0) == {}
    assert world.started() == [KEY.version_sk(1), KEY.version_sk(2)]
    assert world.handlers["one"].seen == []


def test_inl_03_a_slow_target_is_left_to_a_machine_and_others_are_not_called_again() -> None:
    world = Inline("one", "two")
    world.publish(order(0, n=1))
    world.side_by_side.late = {"two"}
    world.apply_all(1)
    row = world.row(1)
    assert world.started() == [KEY.version_sk(1)]
    assert set(row["targets"]) == {"one"}
    assert "runId" not in row
    assert world.store.get(DATA, KEY.pk, KEY.sk) is None
    for late in world.side_by_side.left:
        late()
    assert world.row(1) == row


def test_inl_03_a_slow_target_is_left_to_a_machine_where_every_status_shows() -> None:
    world = Inline("one", "two", detail="full")
    world.publish(order(0, n=1))
    world.side_by_side.late = {"two"}
    world.apply_all(1)
    assert world.started() == [KEY.version_sk(1)]
    assert "runId" not in world.row(1)
    assert world.row(1)["status"].startswith("sync_data:")


def test_every_state_s_step_is_made_where_every_status_shows() -> None:
    world = Inline("one", detail="full", ttl=TtlPolicies({COMMANDS: TtlPolicy(default=90)}))
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(1, 2)
    assert ["ttl" in world.row(version) for version in (1, 2)] == [True, False]
    assert world.store.get(HISTORY, KEY.pk, KEY.version_sk(1)) is not None


def test_inl_03_behind_a_slow_target_no_other_has_its_turn() -> None:
    world = Inline(*(f"t{number}" for number in range(5)))
    world.publish(order(0, n=1))
    world.side_by_side.late = {"t1"}
    world.apply_all(1)
    assert [bool(handler.seen) for handler in world.handlers.values()] == [True, False, True, False, False]


def test_inl_03_targets_have_their_turn_some_at_a_time_as_long_as_there_is_time() -> None:
    world = Inline(*(f"t{number}" for number in range(7)))
    world.publish(order(0, n=1))
    world.handlers["t4"].does = lambda _: world.clock.advance(30)
    assert world.deliver(world.record(1), seconds=20) == {}
    assert world.side_by_side.most_within == AT_ONCE
    assert [bool(handler.seen) for handler in world.handlers.values()] == [True] * 6 + [False]
    assert set(world.row(1)["targets"]) == {f"t{number}" for number in range(6)}
    assert world.started() == [KEY.version_sk(1)]


@pytest.mark.parametrize("count", [19, 20, 21, 45])
def test_outcomes_of_many_targets_are_written_some_at_a_time(count: int) -> None:
    world = Inline(*(f"t{number:02d}" for number in range(count)))
    world.publish(order(0, n=1))
    world.apply_all(1)
    assert len(world.row(1)["targets"]) == count + 1
    assert world.row(1)["status"] == "finish:FINISHED"


class Busy(Exception):
    """Has another name than ours."""


@pytest.mark.parametrize("error", [TransientError("busy"), TransientThrottle("busy"), ConnectionError("no route")])
def test_inl_03_what_may_pass_is_left_to_a_machine(error: Exception) -> None:
    world = Inline("one", "two")
    world.publish(order(0, n=1))
    world.handlers["two"].does = raising(error)
    world.apply_all(1)
    assert world.started() == [KEY.version_sk(1)]
    assert "runId" not in world.row(1)
    assert world.alarms.messages == []


def test_inl_03_an_error_is_matched_by_its_name_as_machines_do() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    named = type("TransientError", (Exception,), {})
    world.handlers["one"].does = raising(named("of another library"))
    world.apply_all(1)
    assert world.started() == [KEY.version_sk(1)]


@pytest.mark.parametrize("detail", ["terminal", "full"])
def test_pipe_04_a_permanent_error_is_recorded_and_the_others_keep_the_version(detail: str) -> None:
    world = Inline("one", "two", detail=detail)
    world.publish(order(0, n=1))
    world.handlers["two"].does = raising(Busy("customer 4711"))
    world.apply_all(1)
    row = world.row(1)
    assert row["status"] == "sync_data:FAILED"
    assert row["error"] == {"type": "Busy", "message": "customer 4711", "state": "sync_data", "target": "two"}
    assert set(row["targets"]) == {"one", "data"}
    data = world.store.get(DATA, KEY.pk, KEY.sk)
    assert data is not None
    assert data["version"] == 1
    assert len(world.alarms.messages) == 1
    assert world.started() == []


def test_a_failure_that_can_t_be_recorded_is_left_to_a_machine() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    world.handlers["one"].does = raising(Busy("no"))
    recording = world.pipeline.record_failure

    def refuse(*_: Any) -> dict[str, str]:
        raise TransientError("the topic is away")

    world.pipeline.record_failure = refuse  # type: ignore[assignment]
    world.apply_all(1)
    world.pipeline.record_failure = recording
    assert world.started() == [KEY.version_sk(1)]


@pytest.mark.parametrize("call", [f"update {COMMANDS}", f"put {DATA}", "get 2"])
def test_inl_03_a_throttled_call_is_left_to_a_machine(call: str) -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    left = [1]

    def once(what: str) -> Exception | None:
        if what == call and left:
            left.pop()
            return TransientThrottle("slow down", refused=True)
        return None

    world.refuse(once)
    world.apply_all(1)
    assert world.started() == [KEY.version_sk(1)]
    assert "runId" not in world.row(1)


def test_inl_03_when_no_machine_can_be_started_the_record_and_those_behind_it_come_again() -> None:
    world = Inline("one")
    for version in range(3):
        world.publish(order(version, n=version))
    world.publish(order(0, code="other", n=1))
    world.side_by_side.late = {"one"}
    world.workflows.refuse_starts = True
    failed = world.deliver(world.record(1), world.record(1, other("other")), world.record(2), world.record(3))
    assert set(failed) == {0, 1, 2, 3}
    assert all(isinstance(error, TransientError) for error in failed.values())
    world.side_by_side.late = set()
    assert world.deliver(*(world.record(version) for version in (1, 2, 3))) == {}
    assert world.row(3)["status"] == "finish:FINISHED"


def test_inl_04_a_record_that_can_t_be_read_doesn_t_keep_back_the_others() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    poison = world.record(1)
    poison["dynamodb"]["NewImage"] = {**poison["dynamodb"]["NewImage"], "sk": {"S": "no version"}}
    removed = {"eventName": "REMOVE", "dynamodb": {}}
    failed = world.deliver(poison, removed, world.record(1))
    assert {index: type(error) for index, error in failed.items()} == {0: ValidationError}
    assert world.row(1)["status"] == "finish:FINISHED"


def test_large_attributes_with_targets_are_left_to_a_machine() -> None:
    world = Inline("one", inline_limit=1_024)
    world.publish(CommandInput("ORDER", "o1", "n", {"text": "x" * 300_000}))
    world.publish(CommandInput("ORDER", "o2", "n", {"text": "x" * 200_000}))
    assert world.deliver(world.record(1), world.record(1, other("o2"))) == {}
    assert world.started() == [KEY.version_sk(1)]
    assert world.row(1, other("o2"))["status"] == "finish:FINISHED"
