"""What the files of a table look like."""

from __future__ import annotations

from handlers.core.light_dataclasses import dataclass

#: How rows are published: accepted, and applied by the pipeline; or accepted and applied in one transaction.
ASYNC = "ASYNC"
SYNC = "SYNC"
PUBLISH_MODES = (ASYNC, SYNC)

#: Of rows with the same key, the last is applied and the others end SUPERSEDED; or the first is, and the others fail.
LAST = "last"
REJECT = "reject"
ON_DUPLICATE = (LAST, REJECT)

#: Columns of a normalised copy: the row's number in the file, from 1, and its first physical line.
ROW_COLUMN = "__row"
LINE_COLUMN = "__line"
#: In front of a file's own columns in the report of its failed rows, which may be corrected and imported.
REPORT_COLUMNS = ("row", "line", "code", "message")


@dataclass(frozen=True)
class Layout:
    """What the files of a table look like, and how their rows are published.

    ``columns``: those that a file must have; ``optional``: those that it may have, empty where it doesn't; ``key``:
    those that identify a row. ``encoding``: that of the files, where an import names none; None: found out.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    optional: tuple[str, ...] = ()
    publish: str = ASYNC
    on_duplicate: str = LAST
    encoding: str | None = None
