"""``csv_rows_handler``: writes a batch of rows from the Distributed Map to the import table."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract.rows import CANCEL_REQUESTED
from handlers.core.error_text import error_of
from handlers.core.errors import ValidationError
from handlers.core.log import log_step, without_text
from handlers.core.values.json_values import plain_value
from handlers.imports.files.formats import CSV, Format, format_of
from handlers.imports.files.layout import LINE_COLUMN, ROW_COLUMN
from handlers.imports.jobs import status
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.rows.preparation import prepare

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository, NewRow
    from handlers.imports.rows.row_batches import RowBatches
    from handlers.imports.strategy import ImportTables, Table
    from handlers.store.port import Item

DROPPED = {"result": "dropped"}


class RowsHandler:
    """Makes one read and one transaction per delivery of a batch."""

    def __init__(self, repository: ImportRepository, batches: RowBatches, tables: ImportTables) -> None:
        self._repository = repository
        self._batches = batches
        self._tables = tables

    def __call__(self, given: Any) -> dict[str, Any]:
        """Write the rows of a batch: ``{"BatchInput": {"Attributes": {jobKey, attempt}}, "Items": [{index, row}]}``.

        Raises:
            ValidationError: it isn't such a batch. TransientError: retry.
        """
        run, items = parsed(given)
        job = self._repository.job(run.key)
        if job is None or job["attempt"] != run.attempt or status.is_terminal(job):
            return dict(DROPPED)
        return {"written": self._batches.write(self.rows(run, job, items))}

    def rows(self, run: JobRun, job: Item, items: list[Any]) -> list[Item]:
        """The rows to write, without any I/O."""
        table = self._tables.of(job["tableName"])
        kind, new_row = format_of(job["key"]), self._repository.new_rows(job)
        return [self._row(run, job, table, kind, new_row, item) for item in items]

    def _row(
        self, run: JobRun, job: Item, table: Table, kind: Format, new_row: NewRow, item: Mapping[str, Any]
    ) -> Item:
        values: dict[str, Any] = dict.fromkeys(table.layout.optional, "")
        # Normalised like in the loader: 1.0 is 1. Values of CSV are text.
        values.update(item["row"] if kind is CSV else plain_value("row", item["row"]))
        index, line = item["index"], item["index"] + kind.first_line
        if ROW_COLUMN in values:  # a normalised copy: the row's position in the original
            index, line = int(values.pop(ROW_COLUMN)) - 1, int(values.pop(LINE_COLUMN))
        key = run.key.row(index)
        if job.get(CANCEL_REQUESTED):
            return new_row(key, index + 1, line, values, status.CANCELLED)
        row = new_row(key, index + 1, line, values, status.CREATED)
        try:
            problem = prepare(values, table.strategy).problem
        except Exception as error:  # noqa: BLE001 - boundary: one row; its consumer retries it and records the error
            log_step("row not prepared", level=logging.WARNING, pk=key.pk, sk=key.sk, **without_text(error))
            return row
        if problem is not None:
            row["status"] = status.FAILED
            row["error"] = error_of(problem.code, problem.message)
        return row


def parsed(given: Any) -> tuple[JobRun, list[Any]]:
    """The run and the items of a batch. Raises ValidationError."""
    try:
        attributes, items = given["BatchInput"]["Attributes"], given["Items"]
    except (KeyError, TypeError):
        raise ValidationError("input", type(given).__name__, "a batch with BatchInput.Attributes and Items") from None
    return JobRun.parse(attributes), items
