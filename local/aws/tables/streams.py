"""DynamoDB streams of the local tables, in the form that Lambda's event source mappings deliver.

A record has the shape of an element of ``Records`` in a function's event (Lambda Developer Guide, "Using Lambda
with DynamoDB", example event). A write that changes no data produces no record (DynamoDB Developer Guide, "Change
data capture for DynamoDB Streams", note). ``SizeBytes`` is the size of the keys and of both images; the guide's
example and captured events agree with that (see tests/fixtures/events/dynamodb_stream.json).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import StreamShard, Table

from local.aws.clock import now
from local.aws.model import EndpointError
from local.aws.tables.attribute_values import item_size
from local.aws.tables.images import image, size_of
from local.journal import active

if TYPE_CHECKING:
    from local.aws.endpoint import AwsEndpoint

#: The newest records stay readable, regardless of age and of being read.
RETAINED_RECORDS = 4_000
#: Older records are kept this long for readers that haven't read them (DynamoDB Developer Guide, "Change data capture
#: for DynamoDB Streams": "All data in DynamoDB Streams is subject to a 24-hour lifetime").
RETENTION_S = 24 * 3600
_STEP = 1_000
FIRST_SEQUENCE_NUMBER = 100_000_000_000_000_000_001


class TrimmedRecords(EndpointError):
    """A reader fell so far behind that its next records were dropped (AWS: TrimmedDataAccessException)."""


class LocalShard(StreamShard):  # type: ignore[misc]  # moto has no types that mypy can follow
    """The one shard of a table's stream. Positions count the records since the stream began, from 0."""

    def __init__(self, table: Table) -> None:
        super().__init__(table.account_id, table)
        self.starting_sequence_number = FIRST_SEQUENCE_NUMBER
        self.records: list[dict[str, Any]] = []
        self.first = 0
        #: positions of named readers, for which records are kept
        self.readers: dict[str, int] = {}
        #: whether records are stored on disk, because a reader continues from there
        self.is_kept = False

    @property
    def end(self) -> int:
        """The position after the newest record."""
        self.fetch()
        return self.first + len(self.records)

    def add(self, old: Item | None, new: Item | None) -> None:
        """Append the record of a write, unless it changed nothing. moto would also call functions here."""
        if old is None and new is None:
            return
        if old is not None and new is not None and _same(old, new):
            return
        number = self.first + len(self.records)
        record = _record(self.table, number, old, new)
        kept = active()
        if kept is not None and self.is_kept:
            kept.put(kind_of_records(self.table.name), key_of_record(number), record)
        self.append(record)

    def append(self, record: dict[str, Any]) -> None:
        """Append a record, and drop those that are no longer needed."""
        self.records.append(record)
        if len(self.records) >= RETAINED_RECORDS + _STEP:
            self._trim()

    def fetch(self) -> None:
        """Append records from another server before a read. Does nothing here, since writes add their records."""

    def read(self, position: int, limit: int | None = None, reader: str = "") -> tuple[list[dict[str, Any]], int]:
        """Records from ``position`` (0: the oldest available), at most ``limit``, and the position after them.

        A named ``reader`` has read everything before ``position``; later records are kept for it.
        """
        self.fetch()
        if reader:
            self.readers[reader] = position
        if 0 < position < self.first:
            raise TrimmedRecords(
                f"stream of {self.table.name}: position {position} is trimmed, the oldest record is {self.first}"
            )
        start = max(position - self.first, 0)
        if start >= len(self.records):
            return [], max(position, self.first)
        found = self.records[start : None if limit is None else start + limit]
        return found, self.first + start + len(found)

    def _trim(self) -> None:
        most = len(self.records) - RETAINED_RECORDS
        passed = min(self.readers.values(), default=self.first + len(self.records)) - self.first
        dropped = max(min(passed, most), 0)
        oldest = now() - RETENTION_S
        while dropped < most and self.records[dropped]["dynamodb"]["ApproximateCreationDateTime"] < oldest:
            dropped += 1
        if dropped >= _STEP:  # not one by one, since each deletion moves the remaining ones
            del self.records[:dropped]
            self.first += dropped


def kind_of_records(table_name: str) -> str:
    """The kind of a table's stream records in the journal."""
    return f"stream {table_name}"


def key_of_record(position: int) -> str:
    """A record's key in the journal, in stream order."""
    return f"{position:020}"


def _same(old: Item, new: Item) -> bool:
    """Whether two items have the same data, ignoring the order of sets."""
    before, after = image(old), image(new)
    if before.keys() != after.keys():
        return False
    changed = [name for name, value in after.items() if before[name] is not value and before[name] != value]
    return all(DynamoType(before[name]) == DynamoType(after[name]) for name in changed)


def _record(table: Table, number: int, old: Item | None, new: Item | None) -> dict[str, Any]:
    item = new if new is not None else old
    assert item is not None
    view = table.stream_specification["StreamViewType"]
    keys = {name: image(item)[name] for name in table.table_key_attrs}
    size = item_size(keys)
    images: dict[str, Any] = {}
    if new is not None and view in ("NEW_IMAGE", "NEW_AND_OLD_IMAGES"):
        images["NewImage"] = image(new)
        size += size_of(new)
    if old is not None and view in ("OLD_IMAGE", "NEW_AND_OLD_IMAGES"):
        images["OldImage"] = image(old)
        size += size_of(old)
    stream_arn = arn_of_stream(table)
    return {
        "eventID": hashlib.md5(f"{stream_arn}/{number}".encode(), usedforsecurity=False).hexdigest(),
        "eventName": "INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": table.region_name,
        "dynamodb": {
            "ApproximateCreationDateTime": int(now()),
            "Keys": keys,
            **images,
            "SequenceNumber": str(FIRST_SEQUENCE_NUMBER + number),
            "SizeBytes": size,
            "StreamViewType": view,
        },
        "eventSourceARN": stream_arn,
    }


def read_new_records(
    endpoint: AwsEndpoint, table_name: str, position: int, limit: int | None = None, *, reader: str = ""
) -> tuple[list[dict[str, Any]], int]:
    """The stream records of a table from ``position`` on, oldest first, and the position after them.

    Position 0 is the oldest available record (TRIM_HORIZON), ``stream_end`` is LATEST. Records are shared between
    readers and must not be modified. Records that are neither among the newest ``RETAINED_RECORDS`` nor still unread by
    a named reader (for 24 hours) are dropped.

    Raises:
        EndpointError: the table doesn't exist or has no stream.
        TrimmedRecords: the reader fell too far behind another one.
    """
    with endpoint.lock:
        return _shard(endpoint, table_name).read(position, limit, reader)


def stream_end(endpoint: AwsEndpoint, table_name: str) -> int:
    """The position after the newest record of a table's stream (LATEST)."""
    with endpoint.lock:
        return _shard(endpoint, table_name).end


class TableStreams:
    """Reads streams by their ARN."""

    def __init__(self, endpoint: AwsEndpoint) -> None:
        self._endpoint = endpoint

    def end(self, stream_arn: str) -> int:
        """The position after the newest record."""
        return stream_end(self._endpoint, table_of_stream(stream_arn))

    def read(self, stream_arn: str, position: int, reader: str) -> tuple[list[dict[str, Any]], int]:
        """The records from ``position`` on, oldest first, and the position after them; see ``LocalShard.read``."""
        return read_new_records(self._endpoint, table_of_stream(stream_arn), position, reader=reader)


def arn_of_stream(table: Table) -> str:
    """The ARN of a table's stream."""
    return f"{table.table_arn}/stream/{table.latest_stream_label}"


def table_of_stream(stream_arn: str) -> str:
    """The table's name in a stream's ARN (``...:table/<name>/stream/<label>``)."""
    parts = stream_arn.split("/")
    if len(parts) < 3 or parts[2] != "stream":
        raise EndpointError(f"not the ARN of a DynamoDB stream: {stream_arn!r}")
    return parts[1]


def _shard(endpoint: AwsEndpoint, table_name: str) -> LocalShard:
    table = endpoint.tables.get(table_name)
    if table is None:
        raise EndpointError(f"no table {table_name!r} on the local endpoint")
    if not isinstance(table.stream_shard, LocalShard):
        raise EndpointError(f"table {table_name!r} has no stream")
    return table.stream_shard
