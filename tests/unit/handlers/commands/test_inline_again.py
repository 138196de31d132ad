"""INLINE in memory: records that come again, and commands that another run or attempt has."""

from __future__ import annotations

import pytest

from handlers.commands.model import Command
from handlers.core.errors import TransientError, TransientThrottle
from handlers.store.port import COMMANDS, DATA
from tests.support.inline_world import Inline, raising
from tests.support.pipelines import KEY, LEASE_SECONDS, order


@pytest.mark.parametrize("targets", [(), ("one",)])
@pytest.mark.parametrize("ended", ["done", "failed", "another attempt", "another run's", "gone"])
def test_nothing_is_started_for_what_has_ended_or_belongs_to_another_run(ended: str, targets: tuple[str, ...]) -> None:
    world = Inline(*targets)
    run = world.publish(order(0, n=1))
    record = world.record(1)
    match ended:
        case "done":
            world.apply_all(1)
        case "failed":
            world.pipeline.record_failure(run, world.failure("No"))
        case "another attempt":
            record["dynamodb"]["NewImage"]["attempt"] = {"N": "2"}
        case "another run's":
            world.pipeline.claim(run, world.row(1))
        case "gone":
            world.memory.delete(COMMANDS, KEY.pk, KEY.version_sk(1))
    assert world.deliver(record, seconds=0) == {}
    assert world.started() == []


def test_inl_04_a_claim_of_an_earlier_delivery_is_left_to_a_machine() -> None:
    """Its command may be what ended the function: it isn't called here again."""
    world = Inline("one")
    world.publish(order(0, n=1))
    world.handlers["one"].does = raising(SystemExit("the process is gone"))  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        world.deliver(world.record(1))
    assert world.row(1)["runId"].startswith("inline:")
    world.handlers["one"].does = lambda _: None
    world.apply_all(1)
    assert world.handlers["one"].seen == [1]
    assert world.started() == [KEY.version_sk(1)]
    assert "runId" not in world.row(1)


def test_dup_01_a_record_that_comes_again_changes_nothing() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    world.apply_all(1)
    row = world.row(1)
    world.apply_all(1)
    assert world.row(1) == row
    assert world.handlers["one"].seen == [1]


def test_a_record_that_comes_again_goes_on_with_who_was_parked_meanwhile() -> None:
    world = Inline()
    for version in range(2):
        world.publish(order(version, n=version))
    world.apply_all(2)
    world.refuse(lambda what: TransientThrottle("no") if what == f"get {COMMANDS}" else None)
    failed = world.deliver(world.record(1))
    assert isinstance(failed[0], TransientError)
    assert world.row(1)["status"] == "finish:FINISHED"
    world.refuse(lambda _: None)
    world.apply_all(1)
    assert world.row(2)["status"] == "finish:FINISHED"


@pytest.mark.parametrize(
    ("targets", "detail", "hands_over"),
    [((), "terminal", False), (("one",), "terminal", False), (("one",), "terminal", True), (("one",), "full", False)],
)
def test_dup_03_a_consumer_that_dies_while_it_goes_on_with_successors(
    targets: tuple[str, ...], detail: str, hands_over: bool
) -> None:
    """Whatever call it dies before: when its record comes again, nobody waits for the sweeper."""
    deaths = 0
    while True:
        world = Inline(*targets, detail=detail)
        for version in range(3):
            world.publish(order(version, n=version))
        world.apply_all(3)
        world.apply_all(2)
        if hands_over:
            world.handlers["one"].does = world.late_from(2)
        left = iter(range(deaths))
        world.refuse(lambda _, left=left: SystemExit("out of memory") if next(left, None) is None else None)  # type: ignore[misc]
        try:
            world.deliver(world.record(1))
        except SystemExit:
            world.refuse(lambda _: None)
        else:
            break
        world.apply_all(1)
        world.run_machines()
        assert [world.row(version)["status"] for version in (1, 2, 3)] == ["finish:FINISHED"] * 3, deaths
        assert all(list(dict.fromkeys(handler.seen)) == [1, 2, 3] for handler in world.handlers.values()), deaths
        deaths += 1
    assert deaths > 8


def test_a_record_that_comes_again_late_looks_behind_what_is_applied_at_once() -> None:
    world = Inline("one")
    for version in range(9):
        world.publish(order(version, n=version))
    world.apply_all(*range(1, 10))
    assert world.calls
    world.apply_all(1)
    assert world.calls == ["get 2", f"get {DATA}", f"get {COMMANDS}", f"get {COMMANDS}"]


def test_a_record_that_comes_again_leaves_another_run_s_successor_alone() -> None:
    world = Inline("one")
    world.publish(order(0, n=1))
    second = world.publish(order(1, n=2))
    world.apply_all(1)
    world.pipeline.claim(second, world.row(2))
    assert world.calls
    world.apply_all(1)
    assert world.calls == ["get 2", f"get {DATA}", f"get {COMMANDS}"]
    assert world.row(2)["runId"] == second.run_id
    assert world.started() == []


def test_another_run_s_claim_is_respected() -> None:
    world = Inline("one")
    run = world.publish(order(0, n=1))
    world.pipeline.claim(run, world.row(1))
    world.apply_all(1)
    assert world.handlers["one"].seen == []
    assert world.started() == []
    assert world.row(1)["runId"] == run.run_id


def test_a_run_that_lost_its_claim_meanwhile_writes_nothing_more() -> None:
    world = Inline("one")
    other_run = world.publish(order(0, n=1))

    def taken_over(_: Command) -> None:
        world.clock.advance(LEASE_SECONDS + 1)
        world.pipeline.claim(other_run, world.row(1))

    world.handlers["one"].does = taken_over
    assert world.deliver(world.record(1), seconds=1_000) == {}
    row = world.row(1)
    assert (row["status"], row["runId"]) == ("publish:ACCEPTED", other_run.run_id)
    assert world.started() == []


def test_without_targets_another_run_s_claim_is_respected_too() -> None:
    world = Inline()
    run = world.publish(order(0, n=1))
    world.pipeline.claim(run, world.row(1))
    world.apply_all(1)
    assert world.row(1)["status"] == "publish:ACCEPTED"
    assert world.row(1)["runId"] == run.run_id


def test_another_attempt_is_left_alone() -> None:
    world = Inline()
    world.publish(order(0, n=1))
    record = world.record(1)
    record["dynamodb"]["NewImage"]["attempt"] = {"N": "2"}
    assert world.deliver(record) == {}
    assert world.row(1)["status"] == "publish:ACCEPTED"
