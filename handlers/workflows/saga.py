"""The log of a saga: the steps that may have happened, so that they can be undone in reverse order.

``SAGA#<tenant>``, ``<workflow>#<requestId>`` in ``tasks``. A step is recorded before its action begins, so everything
that may have happened is recorded, and an undo must handle an action that never happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handlers.core.clock import Clock, iso
from handlers.core.errors import CqrsError, RequestConflict, TransientConflict, ValidationError
from handlers.core.expiry import SECONDS_PER_DAY, is_expired
from handlers.core.values.json_values import check_json, same_json
from handlers.store.conditions import absent, at_most, equals
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore

RUNNING = "RUNNING"
UNDOING = "UNDOING"
UNDONE = "UNDONE"
DONE = "DONE"
KEPT_DAYS = 90
#: Limit of a saga's content, its input: it fits into a row, and an execution's input isn't larger.
MAX_CONTENT_BYTES = 128 * 1024


class SagaIsUndone(CqrsError):
    """A late call of an action: its saga is being undone, so the action must not begin."""


class SagaLog:
    """The rows of sagas. ``key``: pk and sk."""

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def begin(self, key: tuple[str, str], step: str, content: Mapping[str, Any]) -> None:
        """Record a step before its action, unless already recorded. ``content``: the request of the saga.

        Raises:
            RequestConflict: the saga's request id was used with different content.
            SagaIsUndone: undoing has begun.
            TransientConflict: another call recorded a step at the same moment.
        """
        pk, sk = key
        wanted = _stored(content)
        row = self._found(key)
        if row is None:
            self._create(key, RUNNING, [step], wanted)
            return
        if not same_json(row["content"], wanted):
            raise RequestConflict(f"{pk} {sk}: the request id was used with different content; use a new id")
        if row["status"] in (UNDOING, UNDONE):
            raise SagaIsUndone(f"{pk} {sk}: {step} must not begin, the saga is {row['status']}")
        if step in row["steps"]:
            return
        steps = [*row["steps"], step]
        self._change(row, Change(set={"steps": steps, "stepCount": len(steps)}))

    def finish(self, key: tuple[str, str], execution: str) -> None:
        """Record that all steps have happened, for this execution, which may then report success.

        Raises:
            SagaIsUndone: another execution of the same request is undoing them.
            TransientConflict: another call changed the saga at the same moment.
        """
        row = self._row(key)
        if row["status"] in (UNDOING, UNDONE):
            raise SagaIsUndone(f"{key[0]} {key[1]}: it is {row['status']} by another execution of the same request")
        if row["status"] == RUNNING:
            self._change(row, Change(set={"status": DONE, "doneBy": [execution]}))
        elif execution not in row["doneBy"]:
            self._change(row, Change(set={"doneBy": [*row["doneBy"], execution]}))

    def undo(
        self,
        key: tuple[str, str],
        actions: Mapping[str, Callable[[], None]],
        content: Mapping[str, Any],
        execution: str,
    ) -> list[str]:
        """Undo the recorded steps in reverse order; returns the undone steps of this and earlier calls.

        Nothing is undone if the saga has different content, or if another execution has finished it: that one has
        reported, or will report, that the steps have happened.
        Each action may be called again after a crash. An error ends the call; a later call continues with that step.
        """
        wanted = _stored(content)
        row = self._found(key)
        if row is None:
            # No step was recorded; the row prevents a late call from recording one.
            self._create(key, UNDONE, [], wanted)
            return []
        if not same_json(row["content"], wanted) or (row["status"] == DONE and row["doneBy"] != [execution]):
            return []
        if row["status"] in (RUNNING, DONE):
            row = self._change(row, Change(set={"status": UNDOING}))
        backwards = list(reversed(row["steps"]))
        for step in backwards[row["undoneCount"] :]:
            actions[step]()
            row = self._change(row, Change(add={"undoneCount": 1}))
        if row["status"] == UNDOING:
            self._change(row, Change(set={"status": UNDONE}))
        return backwards

    def _create(self, key: tuple[str, str], status: str, steps: list[str], content: Mapping[str, Any]) -> None:
        now = self._clock.now()
        row: Item = {
            "pk": key[0],
            "sk": key[1],
            "status": status,
            "content": content,
            "steps": steps,
            "stepCount": len(steps),
            "undoneCount": 0,
            "createdAt": iso(now),
            "ttl": int(now) + KEPT_DAYS * SECONDS_PER_DAY,
        }
        try:
            self._store.put(TASKS, row, absent("pk") | at_most("ttl", int(now)))
        except ConditionFailed:
            raise TransientConflict(f"{key[0]} {key[1]}: another call began the saga") from None

    def _found(self, key: tuple[str, str]) -> Item | None:
        """The row, unless it is past its ttl: then it counts as absent, as it does for ``_create``."""
        row = self._store.get(TASKS, *key)
        return None if row is None or is_expired(row, self._clock.now()) else row

    def _row(self, key: tuple[str, str]) -> Item:
        row = self._found(key)
        if row is None:
            raise SagaIsUndone(f"{key[0]} {key[1]}: there is no such saga")
        return row

    def _change(self, row: Item, change: Change) -> Item:
        """Change the row if it is still as read. Raises TransientConflict: it has changed."""
        same = equals("status", row["status"]) & equals("stepCount", row["stepCount"])
        same &= equals("undoneCount", row["undoneCount"])
        same &= equals("doneBy", row["doneBy"]) if "doneBy" in row else absent("doneBy")
        try:
            return self._store.update(TASKS, row["pk"], row["sk"], change, same)
        except ConditionFailed:
            raise TransientConflict(f"{row['pk']} {row['sk']}: another call changed the saga") from None


def _stored(content: Mapping[str, Any]) -> dict[str, Any]:
    """The request as the table stores it, for comparison by a repeated call. Raises ValidationError."""
    if not isinstance(content, Mapping):
        raise ValidationError("content", content, "an object of JSON values")
    checked: dict[str, Any] = check_json("content", dict(content), MAX_CONTENT_BYTES)
    return checked
