from __future__ import annotations

from typing import Any

import pytest

from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.starter import START_GRACE_SECONDS, CommandStarter, execution_name
from handlers.core.context import InvokeContext
from handlers.core.errors import NotFound, TransientThrottle, ValidationError
from handlers.core.keys import open_shard
from handlers.operations.failed import Selection, find_failed
from handlers.operations.redrive import Redriver
from handlers.store.port import COMMANDS, Change
from tests.support.operations import Operator, expired, fail, failed, next_attempt, waiting
from tests.support.pipelines import CONTEXT, KEY, MACHINE, World, order


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def operator(world: World) -> Operator:
    return Operator(world)


def test_a_failed_command_gets_a_new_attempt(world: World, operator: Operator) -> None:
    run = failed(world)
    before = world.row(1)
    assert operator.redrive(1) == [(1, "REDRIVEN")]
    row, now = world.row(1), int(world.clock.now())
    changed = {
        "attempt": 2,
        "status": "publish:ACCEPTED",
        "rank": 2000,
        "restart": 0,
        "openShard": open_shard(KEY.pk, KEY.version_sk(1)),
        "dueAt": now + START_GRACE_SECONDS,
    }
    kept = {name: value for name, value in before.items() if name not in ("error", "alarmedAt", "runState", "ttl")}
    assert row == {**kept, **changed}
    name = execution_name(KEY.pk, KEY.version_sk(1), run.id, 2, 0)
    expected = {"pk": KEY.pk, "sk": KEY.version_sk(1), "id": run.id, "attempt": 2}
    assert world.workflows.started == {(MACHINE, name): expected}
    world.apply(next_attempt(run))
    assert world.row(1)["status"] == "finish:FINISHED"


def test_targets_that_had_applied_are_not_called_again() -> None:
    calls: list[str] = []

    class Search:
        def up(self, command: Any) -> None:
            calls.append("search")

    class Mail:
        def up(self, command: Any) -> None:
            calls.append("mail")
            if calls.count("mail") == 1:
                raise RuntimeError("no route")

    world = World(handlers={"a-search": ("ORDER", Search()), "b-mail": ("ORDER", Mail())})
    run = world.publish(order(0, n=1))
    with pytest.raises(RuntimeError):
        world.apply(run)
    fail(world, run)
    assert Operator(world).redrive(1) == [(1, "REDRIVEN")]
    world.apply(next_attempt(run))
    assert calls == ["search", "mail", "mail"]
    assert world.row(1)["targets"]["data"]["attempt"] == 1
    assert world.row(1)["targets"]["b-mail"]["attempt"] == 2


def test_dup_05_redrive_of_a_finished_command_changes_nothing(world: World, operator: Operator) -> None:
    world.publish_and_apply(order(0, n=1))
    before = world.row(1)
    (outcome,) = operator.redriver().version(VersionKey(KEY, 1))
    assert (outcome.outcome, outcome.changed) == ("FINISHED", False)
    assert outcome.note == "it is finish:FINISHED: nothing changed"
    assert operator.redriver().entity(KEY)[0].outcome == "FINISHED"
    assert world.row(1) == before
    assert world.workflows.started == {}


def test_an_open_command_is_left_alone(world: World, operator: Operator) -> None:
    world.publish(order(0, n=1))
    before = world.row(1)
    assert operator.redrive(1) == [(1, "NOT_FAILED")]
    assert world.row(1) == before


def test_twice_by_two_operators(world: World, operator: Operator) -> None:
    failed(world)
    row = world.row(1)
    first, second = operator.redriver(), operator.redriver()
    read = second._repository.versions
    second._repository.versions = lambda key: iter([row])  # type: ignore[method-assign]
    assert [one.outcome for one in first.version(VersionKey(KEY, 1))] == ["REDRIVEN"]
    (outcome,) = second.version(VersionKey(KEY, 1))
    assert outcome.outcome == "CHANGED_MEANWHILE"
    assert outcome.note == "it is publish:ACCEPTED, attempt 2 now: nothing changed"
    second._repository.versions = read  # type: ignore[method-assign]
    assert world.row(1)["attempt"] == 2
    assert len(world.workflows.started) == 1


def test_dup_05_a_redrive_that_is_overtaken_by_a_skip_changes_nothing(world: World, operator: Operator) -> None:
    """DONE is never left, also in the attempt that the operator saw."""
    run = failed(world)
    row = world.row(1)
    redriver = operator.redriver()
    redriver._repository.versions = lambda key: iter([row])  # type: ignore[method-assign]
    operator.skip(run.key)
    before = world.row(1)
    assert [one.outcome for one in redriver.version(run.key)] == ["CHANGED_MEANWHILE"]
    assert world.row(1) == before
    assert world.workflows.started == {}


def test_a_start_that_fails_is_left_to_the_sweeper(world: World, operator: Operator) -> None:
    failed(world)

    class Throttled(CommandStarter):
        def start(self, row: dict[str, Any], *, restart: int = 0) -> bool:
            raise TransientThrottle("Step Functions answered ThrottlingException")

    recorder = world.pipeline.record_failure
    starter = Throttled(world.workflows, MACHINE)
    redriver = Redriver(world.store, world.clock, starter, recorder, dry_run=False)
    (outcome,) = redriver.version(VersionKey(KEY, 1))
    assert outcome.outcome == "REDRIVEN"
    assert outcome.note.startswith("not started yet, the sweeper starts it: TransientThrottle")
    assert "openShard" in world.row(1)


def test_the_alarm_of_a_failure_goes_out_before_its_attempt_ends(world: World, operator: Operator) -> None:
    run = world.publish(order(0, n=1))
    error = {"type": "RuntimeError", "message": "secret", "state": "check_version"}
    world.pipeline.record_failure._progress.fail(run, "check_version", error)
    assert world.alarms.messages == []
    assert operator.redrive(1) == [(1, "REDRIVEN")]
    assert [one["alarmId"] for one in world.alarms.attributes] == ["TENANT#t1#ORDER#o1@0000000001#1"]
    assert world.row(1)["attempt"] == 2


def test_ord_09_redrive_lets_the_waiter_finish(world: World, operator: Operator) -> None:
    world.publish_and_apply(order(0, n=1))
    second = failed(world, 2)
    third = waiting(world, 3)
    world.clock.advance(3600)
    assert operator.redrive(2) == [(2, "REDRIVEN"), (3, "WAIT_RESTARTED")]
    assert world.row(3)["waitingSince"] == int(world.clock.now())
    assert world.row(3)["taskToken"] == "token of 3"
    world.apply(next_attempt(second))
    assert [token for token, _ in world.workflows.resumed] == ["token of 3"]
    world.apply(third)
    assert world.row(3)["status"] == "finish:FINISHED"


def test_ord_11_redrive_brings_all_through_that_expired_behind_it(world: World, operator: Operator) -> None:
    runs = [failed(world, 1)]
    for version in range(2, 52):
        runs.append(expired(world, version, blocked_by=1 if version % 2 else version - 1))
    assert len(world.alarms.messages) == 1
    assert operator.redrive(1) == [(version, "REDRIVEN") for version in range(1, 52)]
    assert operator.started() == [(KEY.version_sk(version), 2) for version in range(51, 0, -1)]
    for run in runs:
        world.apply(next_attempt(run))
    assert {world.row(version)["status"] for version in range(1, 52)} == {"finish:FINISHED"}


def test_what_failed_for_its_own_reason_behind_it_stays(world: World, operator: Operator) -> None:
    failed(world, 1)
    failed(world, 2)
    expired(world, 3, blocked_by=2)
    assert operator.redrive(1) == [(1, "REDRIVEN")]
    assert operator.redrive(2) == [(2, "REDRIVEN"), (3, "REDRIVEN")]


def test_an_expired_one_whose_predecessor_is_done_takes_the_others_along(world: World, operator: Operator) -> None:
    first = world.publish(order(0, n=1))
    expired(world, 2, blocked_by=1)
    expired(world, 3, blocked_by=1)
    world.apply(first)
    assert operator.redrive(1) == [(1, "FINISHED")]
    assert operator.redrive(2) == [(2, "REDRIVEN"), (3, "REDRIVEN")]


def test_a_whole_entity(world: World, operator: Operator) -> None:
    failed(world, 1)
    failed(world, 2)
    waiting(world, 3)
    outcomes = [(one.key.version, one.outcome) for one in operator.redriver().entity(KEY)]
    assert outcomes == [(1, "REDRIVEN"), (2, "REDRIVEN"), (3, "WAIT_RESTARTED")]


def test_a_dry_run_changes_nothing(world: World, operator: Operator) -> None:
    failed(world, 1)
    expired(world, 2, blocked_by=1)
    waiting(world, 3)
    before = [world.row(version) for version in (1, 2, 3)]
    assert operator.redrive(1, dry_run=True) == [
        (1, "WOULD_REDRIVE"),
        (2, "WOULD_REDRIVE"),
        (3, "WOULD_RESTART_WAIT"),
    ]
    assert [world.row(version) for version in (1, 2, 3)] == before
    assert world.workflows.started == {}


def test_a_command_of_publish_sync_goes_through_the_machine(operator: Operator) -> None:
    class Broken:
        def up(self, command: Any) -> None:
            raise RuntimeError("no route")

    world = World(handlers={"search": ("ORDER", Broken())})
    with pytest.raises(RuntimeError):
        world.sync.publish_sync(order(0, n=1), CONTEXT)
    assert world.row(1)["syncMode"] is True
    operator = Operator(world)
    assert operator.redrive(1) == [(1, "REDRIVEN")]
    assert operator.started() == [(KEY.version_sk(1), 2)]
    assert world.row(1)["status"] == "publish:ACCEPTED"


def test_unknown_keys(world: World, operator: Operator) -> None:
    world.publish(order(0, n=1))
    with pytest.raises(NotFound, match="@7: unknown key, this version is not in the log"):
        operator.redriver().version(VersionKey(KEY, 7))
    with pytest.raises(NotFound, match="unknown key: the log has no version of it"):
        operator.redriver().entity(EntityKey("TENANT", "t1", "ORDER", "nope"))


def test_the_conditional_write_itself(world: World, operator: Operator) -> None:
    """A run that took the row after we read it keeps it, whatever the status says."""
    failed(world)
    claim = {"runId": "late", "leaseUntil": int(world.clock.now()) + 60}
    world.store.update(COMMANDS, KEY.pk, KEY.version_sk(1), Change(set=claim))
    before = world.row(1)
    assert operator.redrive(1) == [(1, "CHANGED_MEANWHILE")]
    assert world.row(1) == before


# -- many -------------------------------------------------------------------------------------------


def publish_failed(world: World, code: str, tenant: str = "t1") -> VersionKey:
    run = world.publish(order(0, code=code, n=1), InvokeContext("u1", tenant))
    fail(world, run)
    return run.key


def test_ops_02_many_failed_commands_since(world: World, operator: Operator) -> None:
    publish_failed(world, "old")
    world.clock.advance(3600)
    since = world.clock.now()
    keys = [publish_failed(world, f"o{number}") for number in range(98)]
    world.publish_and_apply(order(0, code="fine", n=1))
    seen: list[tuple[int, int]] = []
    found = find_failed(
        world.store, Selection(since=since), limit=1000, on_page=lambda scanned, hits: seen.append((scanned, hits))
    )
    assert set(found.keys) == set(keys)
    assert (found.more, seen[-1]) == (False, (100, 98))
    outcomes = list(operator.redriver().all(found.keys))
    assert [one.outcome for one in outcomes] == ["REDRIVEN"] * 98
    assert len(world.workflows.started) == 98
    assert [one.outcome for one in operator.redriver().all(found.keys)] == ["NOT_FAILED"] * 98


def test_versions_of_an_entity_are_redriven_in_order_whatever_the_order_of_the_scan(
    world: World, operator: Operator
) -> None:
    for version in (1, 2, 3):
        failed(world, version)
    other = publish_failed(world, "z")
    keys = [VersionKey(KEY, 3), other, VersionKey(KEY, 1), VersionKey(KEY, 2)]
    assert [one.key for one in operator.redriver().all(keys)] == [
        *(VersionKey(KEY, version) for version in (1, 2, 3)),
        other,
    ]


def test_selections(world: World) -> None:
    one, other = publish_failed(world, "a"), publish_failed(world, "b", tenant="t2")
    run = world.publish(order(0, code="c", n=1))
    world.pipeline.check_version(run, first_entry=True)
    world.pipeline.history_copy(run)
    fail(world, run)

    def found(selection: Selection) -> set[VersionKey]:
        return set(find_failed(world.store, selection, limit=10).keys)

    assert found(Selection()) == {one, other, run.key}
    assert found(Selection(tenant_code="t2")) == {other}
    assert found(Selection(type="AIRPORT")) == set()
    assert found(Selection(status="history_copy:FAILED")) == {run.key}
    with pytest.raises(ValidationError, match="status: 'DONE' is not allowed; expected FAILED or one of"):
        found(Selection(status="DONE"))


def test_a_limit_says_that_there_is_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.operations.failed.PAGE_ITEMS", 2)
    for number in range(5):
        publish_failed(world, f"c{number}")
    found = find_failed(world.store, Selection(), limit=2)
    assert (len(found.keys), found.more) == (2, True)
