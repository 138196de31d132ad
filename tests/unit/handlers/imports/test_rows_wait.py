"""The handshake between the state that waits for a file's rows and the last row's outcome, in every order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract.rows import LEFT
from handlers.imports.csv.wait import ENTRY, TOKEN, RowsWait, counted_all
from handlers.imports.jobs import status
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.jobs.model import Counts
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.keys import ImportJobKey
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.conditions import Condition
from handlers.store.memory import MemoryTableStore
from handlers.store.port import IMPORT_TMP, Change, Item
from handlers.store.values import item_to_dynamo
from tests.support.clock import ManualClock

KEY = ImportJobKey("CSV_IMPORT", "t1", "airports", "01ARZ3NDEKTSV4RRFFQ69G5FAV")
RUN = JobRun(KEY, 1)
ENTERED = "2026-01-01T00:00:00.000Z"
#: The calls of ``wait`` that others see: it stores its token, reads the counters, and clears the marks.
CALLS = 3


class Book(ImportRepository):
    """Of one job, whose rows are counted when the test says so. ``before_call`` runs before each call."""

    def __init__(self) -> None:
        self.store = MemoryTableStore()
        super().__init__(self.store, ManualClock())
        self.store.put(
            IMPORT_TMP, {"pk": KEY.pk, "sk": KEY.sk, "kind": status.JOB, "status": status.PROCESSING, "attempt": 1}
        )
        self.all_counted = False
        self.before_call: Callable[[], None] = lambda: None

    def job_and_counts(self, key: ImportJobKey) -> tuple[Item, Counts] | None:
        self.before_call()
        job = self.store.get(IMPORT_TMP, key.pk, key.sk)
        return (job, Counts(total=2, applied=2 if self.all_counted else 1)) if job else None

    def update_job(self, key: ImportJobKey, change: Change, condition: Condition) -> bool:
        self.before_call()
        return super().update_job(key, change, condition)

    def job_row(self) -> dict[str, Any]:
        found = self.store.get(IMPORT_TMP, KEY.pk, KEY.sk)
        assert found is not None
        return found


def machine(*tokens: str) -> MemoryWorkflows:
    workflows = MemoryWorkflows()
    workflows.open_tokens.update(tokens)
    return workflows


@pytest.mark.parametrize(
    ("counted", "woken"), [(counted, woken) for counted in range(CALLS + 1) for woken in range(counted, CALLS + 1)]
)
def test_edge_25_no_order_of_the_two_sides_loses_the_wake_up(counted: int, woken: int) -> None:
    """The last row is counted before call ``counted`` of the state, and the count is heard before call ``woken``."""
    import_repository, workflows = Book(), machine("token")
    wait = RowsWait(import_repository, workflows)
    calls = 0

    def others() -> None:
        nonlocal calls
        number, calls = calls, calls + 1
        if number == counted:
            import_repository.all_counted = True
        if number == woken:
            import_repository.before_call = lambda: None
            wait.wake(KEY)
            import_repository.before_call = others

    import_repository.before_call = others
    wait.wait(RUN, "token", ENTERED, 0)
    while calls <= CALLS:  # what came after the state's last call
        others()
    assert workflows.resumed == [("token", {})], "once, and never lost"
    assert TOKEN not in import_repository.job_row()


def test_edge_25_a_job_that_goes_on_is_waited_for() -> None:
    import_repository, workflows = Book(), machine("token")
    wait = RowsWait(import_repository, workflows)
    assert wait.wait(RUN, "token", ENTERED, 0) == {"waiting": True}
    wait.wake(KEY)
    assert workflows.resumed == []
    assert import_repository.job_row()[TOKEN] == "token"


def test_edge_25_a_late_call_leaves_the_token_of_a_later_one() -> None:
    import_repository, workflows = Book(), machine("first", "second")
    wait = RowsWait(import_repository, workflows)
    wait.wait(RUN, "second", ENTERED, 1)
    wait.wait(RUN, "first", ENTERED, 0)
    assert import_repository.job_row()[TOKEN] == "second"
    import_repository.all_counted = True
    wait.wake(KEY)
    assert workflows.resumed == [("second", {})]
    assert ENTRY not in import_repository.job_row()


def counter(kind: str, left: int, before: int) -> dict[str, Any]:
    """A record of the stream: a row of this kind whose ``left`` went from ``before`` to ``left``."""
    new, old = ({"kind": kind, "jobId": KEY.id, LEFT: number, "expected": 3} for number in (left, before))
    return {"eventName": "MODIFY", "dynamodb": {"NewImage": item_to_dynamo(new), "OldImage": item_to_dynamo(old)}}


def test_edge_25_only_a_counter_that_has_just_counted_its_last_row_calls() -> None:
    assert counted_all(counter(status.COUNTERS, 0, 1)) == KEY
    assert counted_all(counter(status.COUNTERS, 1, 2)) is None
    assert counted_all(counter(status.COUNTERS, 0, 0)) is None, "another of its attributes changed"
    assert counted_all(counter(status.ROW, 0, 1)) is None, "a column of this name is nobody's counter"
    assert counted_all(counter(status.JOB, 0, 1)) is None
    assert counted_all({"eventName": "REMOVE", "dynamodb": {}}) is None


@pytest.mark.parametrize("change", [{"attempt": 2}, {"status": status.COMPLETED}, {"status": status.CANCELLED}])
def test_edge_25_who_has_nothing_to_wait_for_goes_on(change: dict[str, Any]) -> None:
    """A job with its outcome, or in another attempt, keeps no token of this one."""
    import_repository, workflows = Book(), machine("token")
    import_repository.store.update(IMPORT_TMP, KEY.pk, KEY.sk, Change(set=change), None)
    assert RowsWait(import_repository, workflows).wait(RUN, "token", ENTERED, 0) == {"waiting": False}
    assert workflows.resumed == [("token", {})]
    assert TOKEN not in import_repository.job_row()
