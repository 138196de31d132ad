"""The layout of a table's files."""

from __future__ import annotations

from handlers.core.light_dataclasses import dataclass

#: How rows are published: accepted, then applied by the pipeline; or accepted and applied in one transaction.
ASYNC = "ASYNC"
SYNC = "SYNC"
PUBLISH_MODES = (ASYNC, SYNC)

#: For rows with the same key: apply the last, and the others become SUPERSEDED; or apply the first, and the others
#: fail.
LAST = "last"
REJECT = "reject"
ON_DUPLICATE = (LAST, REJECT)

#: Columns of a normalised copy: the row's number in the file, from 1, and its first physical line.
ROW_COLUMN = "__row"
LINE_COLUMN = "__line"
#: Leading columns in the report of failed rows, before the file's own; a report may be corrected and imported.
REPORT_COLUMNS = ("row", "line", "code", "message")


@dataclass(frozen=True)
class Layout:
    """The layout of a table's files, and how their rows are published.

    ``columns``: required ones; ``optional``: empty if the file lacks them; ``key``: columns that identify a row.
    ``encoding``: of the files, if an import names none; None: detected.
    """

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    optional: tuple[str, ...] = ()
    publish: str = ASYNC
    on_duplicate: str = LAST
    encoding: str | None = None
