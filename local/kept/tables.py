"""Restores tables and their streams: items, and the records that functions haven't read yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from moto.dynamodb.models.table import Table

from local.aws.endpoint import AwsEndpoint
from local.aws.tables.images import StoredItem
from local.aws.tables.items import Change, key_of, kind_of_items, store
from local.aws.tables.streams import LocalShard, kind_of_records
from local.journal import Journal
from local.sources import positions
from local.sources.mappings import StreamMapping


def restore_tables(endpoint: AwsEndpoint, journal: Journal, mappings: Sequence[StreamMapping], pause: float) -> None:
    """Restore the declared tables, and store the streams that mappings read from now on.

    Args:
        pause: seconds in which no process ran; they don't count towards the age of records.
    """
    read_by: dict[str, list[str]] = defaultdict(list)
    for mapping in mappings:
        read_by[positions.table_name(mapping)].append(mapping.id)
    known = {row.key: int(row.value) for row in journal.rows(positions.KIND)}
    with endpoint.lock:
        for name, table in endpoint.tables.items():
            for row in journal.rows(kind_of_items(name)):
                _restore_item(table, row.value)
            if isinstance(table.stream_shard, LocalShard) and name in read_by:
                end = max((known.get(one, 0) for one in read_by[name]), default=0)
                _restore_stream(journal, table.stream_shard, name, end, pause)


def _restore_item(table: Table, attributes: dict[str, object]) -> None:
    hash_key, range_key = key_of(table, attributes, whole=False)
    store(Change(table, hash_key, range_key, None, StoredItem(hash_key, range_key, attributes)))


def _restore_stream(journal: Journal, shard: LocalShard, name: str, end: int, pause: float) -> None:
    rows = journal.rows(kind_of_records(name))
    shard.first = int(rows[0].key) if rows else end
    for row in rows:
        row.value["dynamodb"]["ApproximateCreationDateTime"] += int(pause)
        shard.records.append(row.value)
    shard.is_kept = True
