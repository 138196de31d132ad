"""The interface of operators' commands to a stack; each command is written once, on top of it."""

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
    """explain, redrive, skip. Errors end the command with one line."""

    def explain(self, key: EntityKey, version: int | None) -> Explanation:
        """Explain an entity's newest versions, or one version."""
        ...

    def redrive(self, key: EntityKey, version: int | None, *, dry_run: bool) -> list[Redriven]:
        """Redrive one version, or all failed versions of an entity; if none failed, return its latest, unchanged."""
        ...

    def redrive_all(self, selection: Selection, limit: int, *, dry_run: bool) -> tuple[list[Redriven], bool]:
        """Redrive about ``limit`` of the selected failed commands; returns also whether there are more."""
        ...

    def skip(self, key: VersionKey, *, dry_run: bool) -> Skipped:
        """Skip one version."""
        ...


class Tasks(Protocol):
    """Tasks. An id contains its tenant."""

    def latest(self, tenant: str, type_: str | None, limit: int) -> list[Task]:
        """The latest tasks, newest first."""
        ...

    def task(self, task_id: str) -> Task:
        """One task."""
        ...

    def items(self, task_id: str) -> Iterator[TaskItem]:
        """All items of a task."""
        ...

    def retry(self, task_id: str) -> Task:
        """Retry a task: run its failed items again."""
        ...

    def cancel(self, task_id: str) -> Task:
        """Cancel a task: start no further items."""
        ...


class Imports(Protocol):
    """Imports. An id contains its tenant."""

    def latest(self, tenant: str, table: str | None, limit: int, *, archives: bool) -> list[ImportJob]:
        """The latest imports, by table, newest first."""
        ...

    def tables(self, tenant: str) -> Sequence[str]:
        """The tables with an import strategy."""
        ...

    def begin(self, tenant: str, file: Path, table: str | None, *, encoding: str | None, mode: str | None) -> ImportJob:
        """Upload a file and import it; its name tells whether it is an archive."""
        ...

    def job(self, import_id: str) -> ImportJob:
        """One import."""
        ...

    def files(self, import_id: str) -> Sequence[ImportedFile]:
        """The files of an archive."""
        ...

    def report(self, job: ImportJob) -> Iterator[str]:
        """The parts of an import's report, one per entry of ``report_urls``."""
        ...

    def retry(self, import_id: str) -> ImportJob:
        """Retry an import: import its failed rows again."""
        ...

    def cancel(self, import_id: str) -> ImportJob:
        """Cancel an import: import no further rows."""
        ...


class Approvals(Protocol):
    """Approvals, which people answer."""

    def open(self, tenant: str, workflow: str | None) -> list[Approval]:
        """The open approvals, by workflow and request."""
        ...

    def answer(self, tenant: str, workflow: str, request: str, rejected_for: str | None) -> Approval:
        """Approve, or reject with a reason."""
        ...
