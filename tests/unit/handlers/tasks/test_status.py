"""The transition table, exhaustively: each pair of statuses of each kind, against a table that is written out here."""

from __future__ import annotations

import itertools

import pytest

from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS, Change, ConditionFailed
from handlers.tasks import status

TASK_TABLE = {
    ("CREATED", "QUEUED"),
    ("QUEUED", "PROCESSING"),
    ("PROCESSING", "PROCESSING"),
    ("PROCESSING", "COMPLETED"),
    *((old, new) for old in ("CREATED", "QUEUED", "PROCESSING") for new in ("FAILED", "CANCELLED")),
}
ITEM_TABLE = {
    ("CREATED", "PROCESSING"),
    ("PROCESSING", "PROCESSING"),
    ("PROCESSING", "COMPLETED"),
    ("CREATED", "FAILED"),
    ("PROCESSING", "FAILED"),
    ("CREATED", "CANCELLED"),
}
ALLOWED = {"task": TASK_TABLE, "batch": TASK_TABLE, "item": ITEM_TABLE}
PAIRS = list(itertools.product(("task", "batch", "item"), status.STATUSES, status.STATUSES))


@pytest.mark.parametrize(("kind", "old", "new"), PAIRS)
def test_task_09_every_transition_is_allowed_or_refused_as_listed(kind: str, old: str, new: str) -> None:
    store = MemoryTableStore()
    store.put(TASKS, {"pk": "p", "sk": "s", "kind": kind, "status": old})
    wanted = (old, new) in ALLOWED[kind]
    if not status.sources(kind, new):
        assert not wanted
        with pytest.raises(ValueError, match=f"no {kind} becomes {new}"):
            status.may_become(kind, new)
        return
    try:
        store.update(TASKS, "p", "s", Change(set={"status": new}), status.may_become(kind, new))
        happened = True
    except ConditionFailed:
        happened = False
    assert happened == wanted


@pytest.mark.parametrize("kind", ["task", "batch", "item"])
def test_outcomes_are_never_left_within_an_attempt(kind: str) -> None:
    left = {old for new in status.STATUSES for old in status.sources(kind, new)}
    assert left & set(status.TERMINAL) == set()


@pytest.mark.parametrize(
    ("kind", "retried"), [("task", {"FAILED"}), ("batch", {"FAILED"}), ("item", {"FAILED", "CANCELLED"})]
)
def test_what_a_retry_takes_back(kind: str, retried: set[str]) -> None:
    condition = status.may_be_retried(kind)
    assert {one for one in status.STATUSES if condition.holds({"status": one})} == retried
