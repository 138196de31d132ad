"""Keys of import jobs, their counters and files, and of imported rows."""

from __future__ import annotations

import hashlib
from functools import cached_property

from handlers.core.errors import ValidationError
from handlers.core.key_parts import SEPARATOR, check_part
from handlers.core.keys import MAX_PK_BYTES, check_bytes, row_id, two_parts
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.ulids import ULID_RANDOM_BYTES, ULID_TIME_CHARS, check_ulid, is_ulid, ulid

IMPORT_KIND = "IMPORT"
CSV_IMPORT_KIND = "CSV_IMPORT"
ZIP_IMPORT_KIND = "ZIP_IMPORT"
#: Number of partitions over which a file's rows and its job's counters are distributed.
IMPORT_SHARDS = 16
ROW_INDEX_DIGITS = 9
#: Digits of a file's position in an archive.
FILE_DIGITS = 4


@dataclass(frozen=True)
class ImportJobKey:
    """The import of a file: ``CSV_IMPORT#<tenant>`` or ``ZIP_IMPORT#<tenant>``, ``<tableName>#<ulid>``."""

    kind: str
    tenant_code: str
    table: str
    ulid: str

    def __post_init__(self) -> None:
        if self.kind not in (CSV_IMPORT_KIND, ZIP_IMPORT_KIND):
            raise ValidationError("kind", self.kind, f"{CSV_IMPORT_KIND} or {ZIP_IMPORT_KIND}")
        check_part("tenantCode", self.tenant_code)
        check_part("tableName", self.table)
        check_ulid(self.ulid)
        check_bytes("pk", self.shard(0)[0], MAX_PK_BYTES)

    @property
    def pk(self) -> str:
        """Partition key of the tenant's jobs of this kind."""
        return f"{self.kind}{SEPARATOR}{self.tenant_code}"

    @property
    def sk(self) -> str:
        """Sort key of the job."""
        return f"{self.table}{SEPARATOR}{self.ulid}"

    @property
    def id(self) -> str:
        """The job's id for display and messages: ``<pk>#<sk>``."""
        return row_id(self.pk, self.sk)

    def row(self, index: int) -> ImportRowKey:
        """The key of one row of the file; ``index`` counts from 0."""
        return ImportRowKey(self.tenant_code, f"{self.ulid}{SEPARATOR}{index}")

    def shard(self, number: int) -> tuple[str, str]:
        """Keys of one of the job's counters, in the partition of the rows that it counts."""
        return SEPARATOR.join((IMPORT_KIND, self.tenant_code, self.ulid, str(number))), "counters"

    @property
    def files_pk(self) -> str:
        """Partition key of the files of an archive."""
        return SEPARATOR.join((self.kind, self.tenant_code, self.ulid))

    def file(self, position: int) -> tuple[str, str]:
        """Keys of one file of an archive; ``position`` counts from 0."""
        return self.files_pk, f"{position:0{FILE_DIGITS}d}"

    def child(self, table: str, position: int) -> ImportJobKey:
        """The job that imports one file of an archive; deterministic."""
        digest = hashlib.sha256(f"{self.id}{SEPARATOR}{position}".encode()).digest()
        own = self.ulid[:ULID_TIME_CHARS] + ulid(0, digest[:ULID_RANDOM_BYTES])[ULID_TIME_CHARS:]
        return ImportJobKey(CSV_IMPORT_KIND, self.tenant_code, table, own)

    @classmethod
    def parse_id(cls, text: str) -> ImportJobKey:
        """From ``id``. Raises ValidationError."""
        parts = text.split(SEPARATOR) if isinstance(text, str) else []
        if len(parts) != 4:
            raise ValidationError("importId", text, "CSV_IMPORT#<tenant>#<tableName>#<ulid> or ZIP_IMPORT#...")
        return cls(*parts)

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True)
class ImportRowKey:
    """An imported row. ``name``: ``<job's ulid>#<index>`` for a row of a file, the same whenever the file is read;
    ``<tableName>#<ulid>`` for a single row.
    """

    tenant_code: str
    name: str

    def __post_init__(self) -> None:
        check_part("tenantCode", self.tenant_code)
        first, second = two_parts("name", self.name, "<job>#<index> or <tableName>#<ulid>")
        if self.index is None:
            check_part("tableName", first)
            check_ulid(second)

    @cached_property
    def index(self) -> int | None:
        """The row's position in its file, from 0; None for a single row."""
        first, _, second = self.name.partition(SEPARATOR)
        return int(second) if is_ulid(first) and second.isascii() and second.isdigit() else None

    @property
    def pk(self) -> str:
        """``IMPORT#<tenant>``; for a row of a file, also its job and partition."""
        if self.index is None:
            return f"{IMPORT_KIND}{SEPARATOR}{self.tenant_code}"
        job = self.name.partition(SEPARATOR)[0]
        return SEPARATOR.join((IMPORT_KIND, self.tenant_code, job, str(self.index % IMPORT_SHARDS)))

    @property
    def sk(self) -> str:
        """Sort key; the rows of a partition sort by their position in the file."""
        return self.name if self.index is None else f"{self.index:0{ROW_INDEX_DIGITS}d}"

    def request_id(self, attempt: int) -> str:
        """The request id of the row's command: the same for every delivery."""
        return f"{self.name}{SEPARATOR}{attempt}"

    @classmethod
    def parse(cls, pk: str, sk: str) -> ImportRowKey:
        """From the keys of a row. Raises ValidationError naming ``pk``."""
        parts = pk.split(SEPARATOR)
        if parts[0] == IMPORT_KIND and len(parts) == 2:
            return cls(parts[1], sk)
        if parts[0] == IMPORT_KIND and len(parts) == 4 and sk.isascii() and sk.isdigit():
            return cls(parts[1], f"{parts[2]}{SEPARATOR}{int(sk)}")
        raise ValidationError("pk", pk, "IMPORT#<tenant>, or IMPORT#<tenant>#<job>#<index mod 16>")

    @classmethod
    def of_request(cls, tenant_code: str, request_id: str) -> tuple[ImportRowKey, int] | None:
        """The row and the attempt in a request id; None if it isn't that of an import."""
        name, _, attempt = request_id.rpartition(SEPARATOR)
        try:
            key = cls(tenant_code, name)
        except ValidationError:
            return None
        return (key, int(attempt)) if attempt.isascii() and attempt.isdigit() else None

    def __str__(self) -> str:
        return row_id(self.pk, self.sk)
