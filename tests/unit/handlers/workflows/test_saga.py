"""The saga's record: before the action, undone in reverse order, going on where a call stopped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handlers.core.errors import RequestConflict, TransientConflict
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Item
from handlers.workflows.keys import approval_sk, saga_partition
from handlers.workflows.saga import SagaIsUndone, SagaLog
from tests.support.clock import ManualClock

KEY = saga_partition("t1"), approval_sk("transfer", "r1")
GIVEN = {"amount": 1}
STEPS = ("one", "two", "three")
FIRST, SECOND = "execution 1", "execution 2"


class Undo:
    """Notes what is undone; may fail at a step, before or after its effect."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.fails: str | None = None

    def actions(self) -> dict[str, Callable[[], None]]:
        return {step: lambda step=step: self._undo(step) for step in STEPS}  # type: ignore[misc]

    def _undo(self, step: str) -> None:
        if self.fails == step:
            raise LookupError(step)
        self.done.append(step)


@pytest.fixture
def store() -> MemoryTableStore:
    return MemoryTableStore()


@pytest.fixture
def log(store: MemoryTableStore) -> SagaLog:
    return SagaLog(store, ManualClock())


def begun(log: SagaLog, *steps: str) -> SagaLog:
    for step in steps:
        log.begin(KEY, step, GIVEN)
    return log


def row(store: MemoryTableStore) -> Item:
    found = store.get(TASKS, *KEY)
    assert found is not None
    return found


def test_saga_02_steps_are_undone_in_reverse_order(log: SagaLog) -> None:
    undo = Undo()
    assert begun(log, *STEPS).undo(KEY, undo.actions(), GIVEN, FIRST) == ["three", "two", "one"]
    assert undo.done == ["three", "two", "one"]


def test_saga_02_only_what_was_recorded_is_undone_and_once(log: SagaLog, store: MemoryTableStore) -> None:
    undo = Undo()
    begun(log, "one", "two", "two").undo(KEY, undo.actions(), GIVEN, FIRST)
    log.undo(KEY, undo.actions(), GIVEN, FIRST)
    assert undo.done == ["two", "one"]
    assert (row(store)["status"], row(store)["undoneCount"]) == ("UNDONE", 2)


def test_saga_03_a_later_call_goes_on_where_one_stopped(log: SagaLog) -> None:
    undo = Undo()
    undo.fails = "two"
    with pytest.raises(LookupError):
        begun(log, *STEPS).undo(KEY, undo.actions(), GIVEN, FIRST)
    undo.fails = None
    log.undo(KEY, undo.actions(), GIVEN, FIRST)
    assert undo.done == ["three", "two", "one"]


@pytest.mark.parametrize("steps", [(), ("one",)])
def test_saga_03_no_step_begins_after_the_undo(log: SagaLog, steps: tuple[str, ...]) -> None:
    begun(log, *steps).undo(KEY, Undo().actions(), GIVEN, FIRST)
    for step in ("one", "two"):
        with pytest.raises(SagaIsUndone, match=f"{step} must not begin, the saga is UNDONE"):
            log.begin(KEY, step, GIVEN)


def test_saga_03_two_calls_at_one_moment_are_distinguished(store: MemoryTableStore) -> None:
    """Between the reading and the writing of one, another one records a step."""
    log, other = SagaLog(store, ManualClock()), SagaLog(store, ManualClock())
    log.begin(KEY, "one", GIVEN)
    get = store.get
    calls: list[str] = []

    def get_then_other(table: str, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        found = get(table, pk, sk, consistent=consistent)
        if not calls:
            calls.append(pk)
            other.begin(KEY, "two", GIVEN)
        return found

    store.get = get_then_other  # type: ignore[method-assign]
    with pytest.raises(TransientConflict):
        log.begin(KEY, "three", GIVEN)
    assert row(store)["steps"] == ["one", "two"]


def test_a_finished_saga_is_done(log: SagaLog, store: MemoryTableStore) -> None:
    begun(log, "one").finish(KEY, FIRST)
    log.finish(KEY, FIRST)
    assert (row(store)["status"], row(store)["doneBy"]) == ("DONE", [FIRST])


def test_saga_02_also_a_finished_one_can_be_undone(log: SagaLog, store: MemoryTableStore) -> None:
    """Its last answer was lost, so the machine went to its undo."""
    undo = Undo()
    begun(log, "one").finish(KEY, FIRST)
    log.undo(KEY, undo.actions(), GIVEN, FIRST)
    assert (undo.done, row(store)["status"]) == (["one"], "UNDONE")


def test_saga_03_the_same_id_with_other_content_touches_nothing(log: SagaLog, store: MemoryTableStore) -> None:
    undo = Undo()
    begun(log, "one")
    with pytest.raises(RequestConflict, match="the request id was used with different content"):
        log.begin(KEY, "two", {"amount": 2})
    assert log.undo(KEY, undo.actions(), {"amount": 2}, FIRST) == undo.done == []
    assert row(store)["status"] == "RUNNING"


@pytest.mark.parametrize("finished_by", [(SECOND,), (FIRST, SECOND)])
def test_saga_02_what_another_execution_has_finished_is_not_undone(
    log: SagaLog, store: MemoryTableStore, finished_by: tuple[str, ...]
) -> None:
    """It may have answered that all steps have happened."""
    undo = Undo()
    begun(log, "one")
    for execution in finished_by:
        log.finish(KEY, execution)
    assert log.undo(KEY, undo.actions(), GIVEN, FIRST) == undo.done == []
    assert row(store)["status"] == "DONE"


def test_saga_02_an_execution_does_not_finish_what_another_one_undoes(log: SagaLog) -> None:
    begun(log, "one").undo(KEY, Undo().actions(), GIVEN, SECOND)
    with pytest.raises(SagaIsUndone, match="it is UNDONE by another execution"):
        log.finish(KEY, FIRST)


def half_undone(log: SagaLog) -> Undo:
    """Another execution's undo has stopped at the first step: the saga is UNDOING."""
    undo = Undo()
    undo.fails = "one"
    with pytest.raises(LookupError):
        begun(log, "one", "two").undo(KEY, undo.actions(), GIVEN, SECOND)
    return undo


def test_edge_60_no_execution_finishes_a_saga_that_another_one_is_undoing(
    log: SagaLog, store: MemoryTableStore
) -> None:
    """Else its caller is told that all has happened while the rest of it is taken back."""
    half_undone(log)
    before = row(store)
    with pytest.raises(SagaIsUndone, match="it is UNDOING by another execution"):
        log.finish(KEY, FIRST)
    assert row(store) == before
    assert before["status"] == "UNDOING"


@pytest.mark.parametrize("step", ["one", "three"])
def test_edge_60_no_step_begins_in_a_saga_that_is_being_undone(
    log: SagaLog, store: MemoryTableStore, step: str
) -> None:
    half_undone(log)
    before = row(store)
    with pytest.raises(SagaIsUndone, match=f"{step} must not begin, the saga is UNDOING"):
        log.begin(KEY, step, GIVEN)
    assert row(store) == before


@pytest.mark.parametrize("by", [FIRST, SECOND])
def test_edge_60_an_undo_that_has_ended_undoes_nothing_again(log: SagaLog, store: MemoryTableStore, by: str) -> None:
    undo = Undo()
    begun(log, "one", "two").undo(KEY, undo.actions(), GIVEN, SECOND)
    before = row(store)
    assert log.undo(KEY, undo.actions(), GIVEN, by) == ["two", "one"]
    assert (undo.done, row(store)) == (["two", "one"], before)


@pytest.mark.parametrize("moment", ["begin", "finish", "undo"])
def test_edge_60_a_saga_that_changes_under_a_call_is_not_written(
    log: SagaLog, store: MemoryTableStore, moment: str
) -> None:
    """Another execution undoes it between the call's read and its write."""
    begun(log, "one")
    get, undo = store.get, Undo()

    def get_then_undone(table: str, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        found = get(table, pk, sk, consistent=consistent)
        store.get = get  # type: ignore[method-assign]
        SagaLog(store, ManualClock()).undo(KEY, undo.actions(), GIVEN, SECOND)
        return found

    calls: dict[str, Callable[[], object]] = {
        "begin": lambda: log.begin(KEY, "two", GIVEN),
        "finish": lambda: log.finish(KEY, FIRST),
        "undo": lambda: log.undo(KEY, undo.actions(), GIVEN, FIRST),
    }
    store.get = get_then_undone  # type: ignore[method-assign]
    with pytest.raises(TransientConflict):
        calls[moment]()
    assert (undo.done, row(store)["status"]) == (["one"], "UNDONE")


def test_saga_02_another_execution_goes_on_with_an_undo_that_stopped(log: SagaLog, store: MemoryTableStore) -> None:
    undo = Undo()
    undo.fails = "one"
    with pytest.raises(LookupError):
        begun(log, "one", "two").undo(KEY, undo.actions(), GIVEN, FIRST)
    undo.fails = None
    log.undo(KEY, undo.actions(), GIVEN, SECOND)
    assert (undo.done, row(store)["status"]) == (["two", "one"], "UNDONE")
