"""``ttl`` decides at the very second: until then a row is there, from then on it is gone, for readers and writers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from handlers.commands.keys import VersionKey
from handlers.commands.model import CommandInput
from handlers.commands.pipeline.apply import ALREADY_APPLIED, APPLIED, Applier
from handlers.commands.publishing.applied import AppliedPublisher
from handlers.commands.ttl_policies import TtlPolicies
from handlers.core.errors import NotFound, RequestConflict, ValidationError, VersionConflict
from handlers.core.expiry import is_expired
from handlers.core.keys import partition, request_sk
from handlers.operations.explain import Explainer
from handlers.operations.resync import ResyncSelection, count_rows
from handlers.state_machines.memory import MemoryCustomWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, DATA, HISTORY, TASKS, Change
from handlers.tasks.handlers import TaskType
from handlers.tasks.model import TaskLimits
from handlers.tasks.service import TaskService
from handlers.workflows.approvals import Approvals
from handlers.workflows.keys import approval_partition, approval_sk, saga_partition
from handlers.workflows.saga import SagaLog
from tests.support.clock import ManualClock
from tests.support.pipelines import CONTEXT, KEY, World, order

REQUEST = replace(CONTEXT, request_id="r1")
#: Seconds from a row's ttl to now, also within a second; and whether the row is gone.
moments = pytest.mark.parametrize(("after", "gone"), [(-1, False), (-0.25, False), (0, True), (0.25, True), (1, True)])
FIRST, SECOND = VersionKey(KEY, 1), VersionKey(KEY, 2)
DATA_ROW = (DATA, KEY.pk, KEY.sk)
FIRST_ROW = (COMMANDS, KEY.pk, FIRST.sk)
REQUEST_ROW = (COMMANDS, KEY.pk, request_sk("r1"))


def expire(store: MemoryTableStore, clock: ManualClock, after: float, *rows: tuple[str, str, str]) -> None:
    """Give rows a ttl, and go to ``after`` seconds from it."""
    ttl = int(clock.now()) + 100
    for table, pk, sk in rows:
        store.update(table, pk, sk, Change(set={"ttl": ttl}))
    clock.time = ttl + after


class Place(World):
    """A command that is applied, and the moment that its rows expire."""

    store: MemoryTableStore

    def __init__(self) -> None:
        super().__init__()
        self.publish_and_apply(order(0, n=1))

    def expire(self, after: float, *rows: tuple[str, str, str]) -> None:
        expire(self.store, self.clock, after, *rows)

    @property
    def applier(self) -> Applier:
        return Applier(self.store, self.repository, self.clock, TtlPolicies())


def raised(error: type[Exception], call: Callable[[], object]) -> bool:
    """Whether the call raises this error."""
    try:
        call()
    except error:
        return True
    return False


@moments
def test_edge_64_the_rule(after: float, gone: bool) -> None:
    assert is_expired({"ttl": 100}, 100 + after) is gone


def test_edge_64_a_row_without_ttl_stays() -> None:
    assert not is_expired({}, 1e12)


@moments
def test_edge_64_readers_of_commands_and_of_the_read_model(after: float, gone: bool) -> None:
    place = Place()
    place.publish_and_apply(order(1, n=2))
    history = (HISTORY, KEY.pk, FIRST.sk)
    place.expire(after, FIRST_ROW, (COMMANDS, KEY.pk, SECOND.sk), DATA_ROW, history)
    rows = place.repository
    found = [rows.command(FIRST), rows.data(KEY), rows.latest(KEY), rows.neighbourhood(SECOND).prev]
    assert [one is None for one in found] == [gone] * 4
    assert [len(list(rows.versions(KEY))), len(list(rows.history(KEY)))] == ([0, 0] if gone else [2, 1])
    assert rows.neighbourhood(SECOND).data_version == (0 if gone else 2)
    assert raised(NotFound, lambda: Explainer(place.store, place.clock)(KEY)) is gone
    selection = ResyncSelection("search", ("ORDER",))
    assert count_rows(place.store, place.clock, selection) == (0 if gone else 1)


@moments
@pytest.mark.parametrize("left", [FIRST_ROW, DATA_ROW], ids=["its command", "its data row"])
def test_edge_64_an_entity_begins_anew_when_its_last_row_expires(
    left: tuple[str, str, str], after: float, gone: bool
) -> None:
    """One of the two rows is gone already: the other one alone keeps the entity."""
    place = Place()
    for row in {FIRST_ROW, DATA_ROW} - {left}:
        place.store.update(*row, Change(set={"ttl": 1}))
    place.expire(after, left)
    assert raised(VersionConflict, lambda: place.publisher.publish_async(order(0, n=2), CONTEXT)) is not gone


@moments
@pytest.mark.parametrize("left", [FIRST_ROW, DATA_ROW], ids=["its command", "its data row"])
def test_edge_64_a_version_that_is_applied_at_once_begins_anew(
    left: tuple[str, str, str], after: float, gone: bool
) -> None:
    """It saw nothing; what is there when it writes decides."""
    place = Place()
    publisher = AppliedPublisher(place.store, place.publisher, place.applier, place.clock)
    for row in {FIRST_ROW, DATA_ROW} - {left}:
        place.store.update(*row, Change(set={"ttl": 1}))
    place.expire(after, left)
    nothing = replace(publisher.seen(KEY), command=None, data=None)
    given: CommandInput = order(0, n=2)
    assert raised(VersionConflict, lambda: publisher.publish(nothing, given, CONTEXT, lambda _: [])) is not gone


@moments
def test_edge_64_a_request_is_forgotten(after: float, gone: bool) -> None:
    place = World()
    given = CommandInput("ORDER", "o1", "o1", {"n": 1})
    place.publisher.publish_async(given, REQUEST)
    assert isinstance(place.store, MemoryTableStore)
    expire(place.store, place.clock, after, REQUEST_ROW)
    other = replace(given, attributes={"n": 2}, version=1)
    assert raised(RequestConflict, lambda: place.publisher.publish_async(other, REQUEST)) is not gone


@moments
def test_edge_64_a_forgotten_request_can_be_withdrawn(after: float, gone: bool) -> None:
    place = World()
    place.publisher.publish_async(order(0, n=1), REQUEST)
    assert isinstance(place.store, MemoryTableStore)
    expire(place.store, place.clock, after, REQUEST_ROW)
    assert (place.publisher.withdraw(KEY, REQUEST) is None) is gone


@moments
def test_edge_64_history_is_kept_anew_where_the_kept_row_expired(after: float, gone: bool) -> None:
    place = Place()
    place.store.put(HISTORY, {"pk": KEY.pk, "sk": FIRST.sk, "name": "of an earlier life"})
    place.expire(after, (HISTORY, KEY.pk, FIRST.sk))
    assert place.applier.copy_to_history(SECOND) is gone


@moments
def test_edge_64_a_data_row_that_expired_stands_in_nobodys_way(after: float, gone: bool) -> None:
    """Of an earlier life of the entity, with a higher version."""
    place = Place()
    place.store.update(*DATA_ROW, Change(set={"version": 9}))
    place.expire(after, DATA_ROW)
    assert place.applier.write_data(place.row(1)) == (APPLIED if gone else ALREADY_APPLIED)


@moments
def test_edge_64_a_tasks_request_is_forgotten(after: float, gone: bool) -> None:
    store, clock = MemoryTableStore(), ManualClock()
    service = TaskService(store, clock, {"job": TaskType("job", 1, object)}, TaskLimits())
    service.create_task("job", 1, REQUEST)
    expire(store, clock, after, (TASKS, partition("TASK", "t1"), request_sk("r1")))
    assert raised(RequestConflict, lambda: service.create_task("job", 2, REQUEST)) is not gone


@moments
def test_edge_64_a_saga_is_forgotten(after: float, gone: bool) -> None:
    """Its reader and its writer agree: a request that is begun anew does its steps anew."""
    store, clock = MemoryTableStore(), ManualClock()
    key = (saga_partition("t1"), approval_sk("transfer", "r1"))
    log = SagaLog(store, clock)
    log.begin(key, "one", {"amount": 1})
    log.finish(key, "execution 1")
    expire(store, clock, after, (TASKS, *key))
    assert raised(RequestConflict, lambda: log.begin(key, "one", {"amount": 2})) is not gone
    row = store.get(TASKS, *key)
    assert row is not None
    assert row["status"] == ("RUNNING" if gone else "DONE")


@moments
def test_edge_64_a_forgotten_saga_has_nothing_to_undo(after: float, gone: bool) -> None:
    store, clock = MemoryTableStore(), ManualClock()
    key = (saga_partition("t1"), approval_sk("transfer", "r1"))
    log, undone = SagaLog(store, clock), list[str]()
    log.begin(key, "one", {"amount": 1})
    expire(store, clock, after, (TASKS, *key))
    log.undo(key, {"one": lambda: undone.append("one")}, {"amount": 1}, "execution 1")
    assert undone == ([] if gone else ["one"])


@moments
def test_edge_64_an_approval_is_forgotten(after: float, gone: bool) -> None:
    store, clock = MemoryTableStore(), ManualClock()
    key = (approval_partition("t1"), approval_sk("approval", "r1"))
    approvals = Approvals(store, clock, MemoryCustomWorkflows({}))
    asked = {"subject": "s", "requestedBy": "u1"}
    approvals.ask(key, "token-1", 0, execution="first", **asked)
    expire(store, clock, after, (TASKS, *key))
    again = lambda: approvals.ask(key, "token-2", 0, execution="second", **asked)  # noqa: E731
    assert raised(ValidationError, again) is not gone
