"""The promises of archives: their files one after the other, and an outcome that is the sum of theirs."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from handlers.imports.jobs import status
from handlers.imports.zip.finalize import FILES_FAILED
from handlers.store.port import Item

if TYPE_CHECKING:
    from tests.simulation.import_watcher import ImportWatcher, Job

#: Errors of jobs whose machine died: rows may be open then, or not even written.
BY_MACHINE = ("MapFailed", "MachineFailed")
COUNTS = ("totalRows", "processedRows", "succeededRows", "failedRows", "supersededRows", "cancelledRows")


class Archives:
    """Watches the files of archives and the jobs that import them."""

    def __init__(self, books: ImportWatcher) -> None:
        self._books = books
        #: by the archive's id and the file's position
        self.files: dict[tuple[str, int], Item] = {}

    def file(self, row: Item) -> None:
        """A file's row was written. Its outcome stays."""
        known = self.files.get((row["jobId"], row["position"]), {})
        self.files[row["jobId"], row["position"]] = row
        if "status" in known and known["status"] != row["status"]:
            label = self._books.label_of(row["pk"], row["sk"])[0]
            self._books.broken("ZIP", label, f"file {row['position']} was {known['status']}, now {row['status']}")

    def begun(self, label: str, child: Item) -> None:
        """A file's job was created: those before it have ended, or were given up."""
        for other in self._jobs(child["parent"]):
            assert other.row is not None
            place = other.row["position"]
            given_up = "status" in self.files[child["parent"], place]
            if place < child["position"] and not status.is_terminal(other.row) and not given_up:
                self._books.broken("ZIP", label, f"it begins while file {place} is {other.row['status']}")
            if place > child["position"]:
                self._books.broken("ZIP", label, f"it begins after file {place}")

    def ended(self, label: str, archive: Item) -> None:
        """An archive has come to its outcome."""
        if "totalFiles" not in archive:
            if self._jobs(archive["id"]):
                self._books.broken("ZIP", label, f"it is {archive['status']} before it was read, and has jobs")
            return
        jobs = [job.row for job in self._jobs(archive["id"]) if job.row is not None]
        places = {job["position"] for job in jobs}
        alone = [row for (job_id, place), row in self.files.items() if job_id == archive["id"] and place not in places]
        if any(job["attempt"] > 1 for job in jobs):
            return  # an operator retries its files already: it ends as one of the moments in between
        by_machine = archive.get("error", {}).get("type", FILES_FAILED) != FILES_FAILED
        open_files = [job["position"] for job in jobs if not status.is_terminal(job)]
        open_files = [place for place in open_files if "status" not in self.files[archive["id"], place]]
        if by_machine or open_files:
            if not by_machine:
                self._books.broken("ZIP", label, f"it is {archive['status']} and files {open_files} have no outcome")
            return
        given_up = [row for (job_id, _), row in self.files.items() if job_id == archive["id"] and "status" in row]
        states = Counter(row["status"] for row in [*jobs, *alone, *given_up] if "status" in row)
        right = status.COMPLETED
        if states[status.FAILED]:
            right = status.FAILED
        elif states[status.CANCELLED]:
            right = status.CANCELLED
        if archive["status"] != right and not given_up:
            self._books.broken("ZIP", label, f"it is {archive['status']}, its files: {dict(states)}")
        sums = {name: sum(job.get(name) or 0 for job in jobs) for name in COUNTS}
        stored = {name: archive[name] for name in COUNTS}
        live = any(job.get("error", {}).get("type") in BY_MACHINE or not status.is_terminal(job) for job in jobs)
        if stored != sums and not live:
            self._books.broken("COUNTERS", label, f"it ended with {stored}, its files have {sums}")

    def _jobs(self, archive_id: str) -> list[Job]:
        jobs = self._books.jobs.values()
        return [job for job in jobs if job.row is not None and job.row.get("parent") == archive_id]
