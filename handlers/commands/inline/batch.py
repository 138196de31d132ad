"""Batches of the commands' stream: grouped by entity, in order within an entity, different entities concurrently."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from handlers.commands.inline.entity import Accepted, EntityVersions
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.repository import MOST_TOGETHER, CommandRepository, Neighbourhood
from handlers.commands.starter import accepted_row
from handlers.core.log import log_step

if TYPE_CHECKING:
    from handlers.core.concurrency import Concurrency

#: TransactGetItems returns at most 4 MB (DynamoDB API reference).
MOST_BYTES = 4_000_000
#: Bytes of a row without its attributes: outcomes of many targets, names, users.
REST_OF_A_ROW = 32_768
ROWS_OF_ONE = 3


class InlineConsumer:
    """Consumer of new commands in the stream."""

    def __init__(
        self,
        repository: CommandRepository,
        apply: EntityVersions,
        concurrency: Concurrency,
        *,
        at_once: int,
        inline_attribute_limit: int,
    ) -> None:
        """``at_once``: concurrent entities. ``inline_attribute_limit``: bytes of JSON of attributes in a row."""
        self._repository = repository
        self._apply = apply
        self._concurrency = concurrency
        self._at_once = at_once
        # DynamoDB counts at most half as much again as JSON (handlers/commands/attributes.py).
        row = inline_attribute_limit * 3 // 2 + REST_OF_A_ROW
        self._together = max(1, min(MOST_TOGETHER, MOST_BYTES // (ROWS_OF_ONE * row)))

    def on_stream_records(self, records: Sequence[Mapping[str, Any]], until: float) -> dict[int, Exception]:
        """Apply the new commands of a batch; no version begins at ``until`` or later.

        Returns:
            Index to the error of each record that is invalid or has to be redelivered.
        """
        failed: dict[int, Exception] = {}
        of_entities: dict[EntityKey, list[Accepted]] = {}
        for index, record in enumerate(records):
            try:
                row = accepted_row(record)
                if row is not None:
                    key = VersionKey.parse(row["pk"], row["sk"])
                    of_entities.setdefault(key.entity, []).append(Accepted(index, key, row))
            except Exception as error:  # noqa: BLE001 - boundary: one record; the consumer decides its outcome
                failed[index] = error
        firsts = {entity: min((one.key for one in of), key=_version) for entity, of in of_entities.items()}
        rows = self._read(list(firsts.values()))

        def work(entity: EntityKey, versions: list[Accepted]) -> Callable[[], None]:
            return lambda: failed.update(self._apply(versions, rows.get(entity), until))

        self._concurrency.run_all([(str(one), work(one, of)) for one, of in of_entities.items()], self._at_once)
        return failed

    def _read(self, keys: Sequence[VersionKey]) -> dict[EntityKey, Neighbourhood]:
        """The rows for the decisions on the first versions. If a combined read fails, each entity reads its own."""
        rows: dict[EntityKey, Neighbourhood] = {}
        if len(keys) < 2:
            return rows
        for begin in range(0, len(keys), self._together):
            some = keys[begin : begin + self._together]
            try:
                found = self._repository.neighbourhoods(some)
            except Exception as error:  # noqa: BLE001 - boundary: a combined read; each entity repeats its part
                log_step("not read together", level=logging.WARNING, error=error, count=len(some))
                continue
            rows.update({key.entity: one for key, one in zip(some, found, strict=True)})
        return rows


def _version(key: VersionKey) -> int:
    return key.version
