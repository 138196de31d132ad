"""Statuses of tasks and their items, and of imports, their rows and the files of archives."""

from __future__ import annotations

CREATED = "CREATED"
QUEUED = "QUEUED"
PROCESSING = "PROCESSING"
COMPLETED = "COMPLETED"
FAILED = "FAILED"
CANCELLED = "CANCELLED"
#: An import row whose key a later row of the same file also has.
SUPERSEDED = "SUPERSEDED"
#: An archive entry that isn't a file to import.
SKIPPED = "SKIPPED"

TASK_STATUSES = (CREATED, QUEUED, PROCESSING, COMPLETED, FAILED, CANCELLED)
#: Only an explicit retry leaves these.
TASK_TERMINAL = (COMPLETED, FAILED, CANCELLED)
IMPORT_STATUSES = (*TASK_STATUSES, SUPERSEDED)
IMPORT_TERMINAL = (*TASK_TERMINAL, SUPERSEDED)
