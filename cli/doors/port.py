"""The interface that operators' commands use; each command is written once on it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from handlers.commands.keys import EntityKey, VersionKey
from handlers.imports.jobs.model import ImportJob
from handlers.imports.zip.finalize import ImportedFile
from handlers.operations.explain import Explanation
from handlers.operations.failed import Selection
from handlers.operations.redrive import Redriven
from handlers.operations.skip import Skipped
from handlers.tasks.model import Task, TaskItem
from handlers.workflows.approvals import Approval


class Operations(Protocol):
    """explain, redrive, skip. All raise what ends a command with one line."""

    def explain(self, key: EntityKey, version: int | None) -> Explanation:
        """An entity's newest versions, or one."""
        ...

    def redrive(self, key: EntityKey, version: int | None, *, dry_run: bool) -> list[Redriven]:
        """One version, or all of an entity that failed; with none that failed, its latest, unchanged."""
        ...

    def redrive_all(self, selection: Selection, limit: int, *, dry_run: bool) -> tuple[list[Redriven], bool]:
        """About ``limit`` of those that failed; and whether there are more."""
        ...

    def skip(self, key: VersionKey, *, dry_run: bool) -> Skipped:
        """Leave one version out."""
        ...


class Tasks(Protocol):
    """Of the tenant that an id names."""

    def latest(self, tenant: str, type_: str | None, limit: int) -> list[Task]:
        """The newest first."""
        ...

    def task(self, task_id: str) -> Task:
        """One."""
        ...

    def items(self, task_id: str) -> Iterator[TaskItem]:
        """All its items."""
        ...

    def retry(self, task_id: str) -> Task:
        """Retry a task: run what failed again."""
        ...

    def cancel(self, task_id: str) -> Task:
        """Start no further item."""
        ...


class Imports(Protocol):
    """Of the tenant that an id names."""

    def latest(self, tenant: str, table: str | None, limit: int, *, archives: bool) -> list[ImportJob]:
        """By table, the newest first."""
        ...

    def tables(self, tenant: str) -> Sequence[str]:
        """Those that there are strategies for."""
        ...

    def begin(self, tenant: str, file: Path, table: str | None, *, encoding: str | None, mode: str | None) -> ImportJob:
        """Upload a file, and import it; an archive by its name."""
        ...

    def job(self, import_id: str) -> ImportJob:
        """One."""
        ...

    def files(self, import_id: str) -> Sequence[ImportedFile]:
        """Of an archive."""
        ...

    def report(self, job: ImportJob) -> Iterator[str]:
        """The parts of its report, one for each of ``report_urls``."""
        ...

    def retry(self, import_id: str) -> ImportJob:
        """Import what failed again."""
        ...

    def cancel(self, import_id: str) -> ImportJob:
        """Cancel an import: import no further rows."""
        ...


class Approvals(Protocol):
    """What waits for a person."""

    def open(self, tenant: str, workflow: str | None) -> list[Approval]:
        """By workflow and request."""
        ...

    def answer(self, tenant: str, workflow: str, request: str, rejected_for: str | None) -> Approval:
        """Yes, or no with its reason."""
        ...
