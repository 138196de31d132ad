"""The progress of a resync: one row in ``tasks`` per target, type and tenant (decision record 0047)."""

from __future__ import annotations

from typing import Any

from handlers.core.clock import Clock, iso
from handlers.core.error_text import cut
from handlers.core.errors import CqrsError
from handlers.core.expiry import SECONDS_PER_DAY
from handlers.core.light_dataclasses import dataclass, field
from handlers.operations.keys import resync_key
from handlers.store.conditions import absent, equals
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore

RUNNING = "RUNNING"
COMPLETED = "COMPLETED"
KEPT_DAYS = 30
#: Failed rows that the checkpoint stores; all are counted, and reported as they happen. With keys and texts of maximum
#: size (3 KB, and four bytes per character) they fit into one item of 400 KB.
REMEMBERED_FAILURES = 80
MAX_ERROR_CHARS = 300


class TakenOver(CqrsError):
    """Another resync of the same rows has started, so this one ends; the other continues from the checkpoint."""


@dataclass
class Counts:
    """Rows so far: ``handed`` over, ``failed``, and ``skipped`` because they are gone or of another kind.

    Of those handed over, the target ``applied`` some and ``kept`` a later version for others; for the rest it didn't
    report a result.
    """

    handed: int = 0
    failed: int = 0
    skipped: int = 0
    applied: int = 0
    kept: int = 0

    @property
    def unreported(self) -> int:
        """Rows handed over without an error to a target that doesn't report results."""
        return self.handed - self.applied - self.kept

    @property
    def total(self) -> int:
        """All processed rows of the selection."""
        return self.handed + self.failed + self.skipped


@dataclass
class Checkpoint:
    """``next_key``: for the next page's scan; None at the start and at the end (``status`` shows which)."""

    pk: str
    sk: str
    run_id: str
    started_at: str
    status: str = RUNNING
    next_key: Item | None = None
    counts: Counts = field(default_factory=Counts)
    failures: list[dict[str, str]] = field(default_factory=list)
    resumed: bool = False
    #: of a rebuild: the target was emptied, and versions that only the log has were handed over
    emptied: bool = False

    def note_failure(self, key: str, error: str) -> None:
        """Count a failed row, and store it if the limit isn't reached."""
        self.counts.failed += 1
        if len(self.failures) < REMEMBERED_FAILURES:
            self.failures.append({"key": key, "error": cut(error, MAX_ERROR_CHARS)})


class Checkpoints:
    """Reads and writes checkpoints. Each run writes only while its id is the one in the row."""

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def unfinished(self, target: str, type_: str | None, tenant_code: str | None) -> Checkpoint | None:
        """The checkpoint of an interrupted run, if any."""
        pk, sk = resync_key(target, type_, tenant_code)
        row = self._store.get(TASKS, pk, sk)
        if row is None or row["status"] != RUNNING:
            return None
        counts = Counts(row["handed"], row["failed"], row["skipped"], row.get("applied", 0), row.get("kept", 0))
        checkpoint = Checkpoint(
            pk, sk, row["runId"], row["createdAt"], RUNNING, row.get("nextKey"), counts, row["failures"]
        )
        checkpoint.resumed, checkpoint.emptied = True, row.get("emptied", False)
        return checkpoint

    def begin(
        self, target: str, type_: str | None, tenant_code: str | None, run_id: str, *, restart: bool
    ) -> Checkpoint:
        """Take over an interrupted run, or start at the first row. Raises TakenOver: another one has just started."""
        earlier = self.unfinished(target, type_, tenant_code)
        now = iso(self._clock.now())
        if earlier is not None and not restart:
            self._guarded(Change({"runId": run_id, "updatedAt": now}), earlier, earlier.run_id)
            earlier.run_id = run_id
            return earlier
        pk, sk = resync_key(target, type_, tenant_code)
        checkpoint = Checkpoint(pk, sk, run_id, now)
        free = absent("pk") | ~equals("status", RUNNING)
        condition = free if earlier is None else equals("runId", earlier.run_id)
        try:
            self._store.put(TASKS, {"pk": pk, "sk": sk, "createdAt": now, **self._progress(checkpoint)}, condition)
        except ConditionFailed:
            raise TakenOver(f"another resync of {target} began at the same moment") from None
        return checkpoint

    def save(self, checkpoint: Checkpoint) -> None:
        """Save progress after each page. Raises TakenOver."""
        progress = self._progress(checkpoint)
        remove = () if checkpoint.next_key is not None else ("nextKey",)
        self._guarded(Change(dict(progress.items()), remove=remove), checkpoint, checkpoint.run_id)

    def _progress(self, checkpoint: Checkpoint) -> dict[str, Any]:
        now, counts = self._clock.now(), checkpoint.counts
        progress: dict[str, Any] = {
            "runId": checkpoint.run_id,
            "status": checkpoint.status,
            "handed": counts.handed,
            "failed": counts.failed,
            "skipped": counts.skipped,
            "applied": counts.applied,
            "kept": counts.kept,
            "failures": list(checkpoint.failures),
            "emptied": checkpoint.emptied,
            "updatedAt": iso(now),
            "ttl": int(now) + KEPT_DAYS * SECONDS_PER_DAY,
        }
        return progress if checkpoint.next_key is None else {**progress, "nextKey": checkpoint.next_key}

    def _guarded(self, change: Change, checkpoint: Checkpoint, run_id: str) -> None:
        try:
            self._store.update(TASKS, checkpoint.pk, checkpoint.sk, change, equals("runId", run_id))
        except ConditionFailed:
            raise TakenOver("another resync of the same rows continues from the checkpoint") from None
