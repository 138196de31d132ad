"""Statuses of tasks and their items, of imports, their rows and the files of archives."""

from __future__ import annotations

CREATED = "CREATED"
QUEUED = "QUEUED"
PROCESSING = "PROCESSING"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
CANCELLED = "CANCELLED"
#: Of a row of an import: a later row of the same file has its key.
SUPERSEDED = "SUPERSEDED"
#: Of an entry of an archive that is no file to import.
SKIPPED = "SKIPPED"

TASK_STATUSES = (CREATED, QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED)
#: Left only by an explicit retry.
TASK_TERMINAL = (COMPLETED, FAILED, CANCELLED)
IMPORT_STATUSES = (*TASK_STATUSES, SUPERSEDED)
IMPORT_TERMINAL = (*TASK_TERMINAL, SUPERSEDED)
