"""Reads what a batch's rows need in two calls, instead of two for each row."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from handlers.core.context import restored_context
from handlers.core.light_dataclasses import dataclass, field
from handlers.core.log import log_step, without_text
from handlers.imports.files.layout import SYNC
from handlers.imports.jobs import status
from handlers.imports.rows.preparation import Prepared, prepare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from handlers.commands.keys import EntityKey
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.imports.keys import ImportRowKey
    from handlers.imports.rows.sync_rows import SyncRows
    from handlers.imports.strategy import ImportTables
    from handlers.store.port import Item


@dataclass(frozen=True)
class Ahead:
    """What was read for a batch; what is missing, a row reads itself. It may be out of date, since every write is
    conditional on what was read.

    ``rows``: the import's rows. ``prepared``: their commands. ``data``: data rows of entities into which rows are
    published synchronously.
    """

    rows: dict[ImportRowKey, Item | None] = field(default_factory=dict)
    prepared: dict[ImportRowKey, Prepared] = field(default_factory=dict)
    data: dict[EntityKey, Item | None] = field(default_factory=dict)


class ReadAhead:
    """Reads import rows, and for those that publish synchronously the data rows of their entities."""

    def __init__(self, repository: ImportRepository, apply: SyncRows, tables: ImportTables) -> None:
        self._repository = repository
        self._apply = apply
        self._tables = tables

    def __call__(self, keys: Sequence[ImportRowKey]) -> Ahead:
        """For one row there is nothing to gain. If a read fails, each row reads its own."""
        ahead = Ahead()
        if len(keys) < 2:
            return ahead
        try:
            ahead.rows.update(self._repository.rows(keys))
            entities: dict[EntityKey, None] = {}
            for key, row in ahead.rows.items():
                if row is None or row["status"] != status.CREATED:
                    continue
                table = self._tables.of(row["tableName"])
                prepared = ahead.prepared[key] = prepare(row["row"], table.strategy)
                if prepared.given is not None and table.layout.publish == SYNC:
                    entities[prepared.given.key(restored_context(row, None))] = None
            ahead.data.update(self._apply.read_ahead(entities))
        except Exception as error:  # noqa: BLE001 - boundary: a read for several rows; each repeats its part
            log_step("not read ahead", level=logging.WARNING, count=len(keys), **without_text(error))
        return ahead
