"""Values and fields of rows that event filters match, in addition to the status."""

from __future__ import annotations

#: ``kind`` in ``tasks``: a single task, a task with items, one of those items.
TASK = "task"
BATCH = "batch"
ITEM = "item"
#: ``kind`` in ``import_tmp``: an import, one of its rows, one of its counters, a file of an archive.
JOB = "job"
ROW = "row"
COUNTERS = "counters"
FILE = "file"

#: On a command that publish_sync or an import applies itself, or wrote together with its outcome.
SYNC_MODE = "syncMode"
#: ``source`` of the commands that imports publish.
IMPORT_SOURCE = "import"
#: On a running job that is to be cancelled.
CANCEL_REQUESTED = "cancelRequested"
#: How often work was restarted; incrementing it on a job makes the stream consumer load the job again.
RESTART = "restart"
#: On a counter: how many rows it will count, and how many of them it hasn't counted yet.
EXPECTED = "expected"
LEFT = "left"
