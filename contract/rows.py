"""What event filters look at in rows, in addition to the status: kinds of rows, and fields that a change depends on."""

from __future__ import annotations

#: ``kind`` in ``tasks``: a single task, a task with items, one of those items.
TASK = "task"
BATCH = "batch"
ITEM = "item"
#: ``kind`` in ``import_tmp``: an import, a row of it, one of its counters, a file of an archive.
JOB = "job"
ROW = "row"
COUNTERS = "counters"
FILE = "file"

#: On a command that publish_sync or an import wrote together with its outcome or applies itself.
SYNC_MODE = "syncMode"
#: ``source`` of the commands that imports publish.
IMPORT_SOURCE = "import"
#: On a job that is to be cancelled while it runs.
CANCEL_REQUESTED = "cancelRequested"
#: How often work was started again; counted up on a job, its stream has it loaded again.
RESTART = "restart"
#: On a counter: how many rows it is going to count, and how many of them it has not counted yet.
EXPECTED = "expected"
LEFT = "left"
