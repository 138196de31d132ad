"""The key grammar and the stored names: the only place that builds or parses keys.

``pk = <KIND>#<tenantCode>``, ``sk = <TYPE>#<code>``; a command's or history row's ``sk`` adds
``@<version>``, zero padded to ten digits so that the latest is one descending query with limit 1.
``#`` and ``@`` are refused inside the parts, so distinct entities never share a key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from handlers.core.errors import ValidationError
from handlers.core.key_parts import SEPARATOR, VERSION_SEPARATOR, check_new_part, check_part, encoded

VERSION_DIGITS = 10
FIRST_VERSION = 1
MAX_VERSION = 10**VERSION_DIGITS - 1
DEFAULT_KIND = "TENANT"
REQUEST_TYPE = "REQ"
RESYNC_KIND = "RESYNC"
OPEN_SHARDS = 16

#: DynamoDB's limits for key attributes, in bytes of UTF-8 (Developer Guide, "Quotas").
MAX_PK_BYTES = 2048
MAX_SK_BYTES = 1024
MAX_REQUEST_ID_CHARS = 200

TASK_KIND = "TASK"
BATCH_KIND = "SFN_TASK"
APPROVAL_KIND = "APPROVAL"
SAGA_KIND = "SAGA"
INDEX_DIGITS = 6
#: Crockford's alphabet and the layout of a ULID: 48 bits of milliseconds, 80 of randomness (github.com/ulid/spec).
ULID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_CHARS = 26
ULID_RANDOM_BYTES = 10

IMPORT_KIND = "IMPORT"
CSV_IMPORT_KIND = "CSV_IMPORT"
ZIP_IMPORT_KIND = "ZIP_IMPORT"
#: The rows of a file, and the counters of its job, are spread over as many partitions.
IMPORT_SHARDS = 16
ROW_INDEX_DIGITS = 9
#: Of the position of a file in an archive.
FILE_DIGITS = 4
_ULID_TIME_CHARS = 10


@dataclass(frozen=True, slots=True)
class EntityKey:
    """One entity: what versions, order and projections belong to."""

    kind: str
    tenant_code: str
    type: str
    code: str

    def __post_init__(self) -> None:
        check_part("kind", self.kind)
        check_part("tenantCode", self.tenant_code)
        check_part("type", self.type)
        check_part("code", self.code)
        if self.type == REQUEST_TYPE:
            raise ValidationError("type", self.type, f"any type but {REQUEST_TYPE}, which holds request ids")
        _check_bytes("pk", self.pk, MAX_PK_BYTES)
        _check_bytes("sk", self.version_prefix + "0" * VERSION_DIGITS, MAX_SK_BYTES)

    @classmethod
    def of_caller(cls, kind: str, tenant_code: str, type_: str, code: str) -> EntityKey:
        """The entity that a caller names: its parts are held to more than those of keys that are stored already.

        Raises:
            ValidationError: naming the part.
        """
        return cls(
            check_new_part("kind", kind),
            check_new_part("tenantCode", tenant_code),
            check_new_part("type", type_),
            check_new_part("code", code),
        )

    @property
    def pk(self) -> str:
        """Partition key of all rows of the entity."""
        return SEPARATOR.join(
            (self.kind, self.tenant_code)
        )  # unlike an f-string, the content of an enumeration's member

    @property
    def sk(self) -> str:
        """Sort key of the data row."""
        return SEPARATOR.join((self.type, self.code))

    def version_sk(self, version: int) -> str:
        """Sort key of one version in ``commands`` or ``history``."""
        return f"{self.version_prefix}{check_version_number('version', version):0{VERSION_DIGITS}d}"

    @property
    def version_prefix(self) -> str:
        """What the sort keys of all versions begin with, and those of no other entity."""
        return f"{self.sk}{VERSION_SEPARATOR}"

    @classmethod
    def parse(cls, pk: str, sk: str) -> EntityKey:
        """From the keys of a data row.

        Raises:
            ValidationError: naming ``pk`` or ``sk``.
        """
        kind, tenant_code = _two_parts("pk", pk, "<KIND>#<tenantCode>")
        type_, code = _two_parts("sk", sk, "<TYPE>#<code>")
        return cls(kind, tenant_code, type_, code)

    def __str__(self) -> str:
        """For people, and never the same for two entities: ``<pk> <sk>``, and ``<pk>#<sk>`` where blanks would blur
        where a part begins and ends.
        """
        parts = (self.kind, self.tenant_code, self.type, self.code)
        is_clear = all(part == part.strip() for part in parts) and " " not in self.type
        return f"{self.pk} {self.sk}" if is_clear else row_id(self.pk, self.sk)


@dataclass(frozen=True, slots=True)
class VersionKey:
    """One version of an entity."""

    entity: EntityKey
    version: int

    @property
    def pk(self) -> str:
        """Partition key in ``commands`` and ``history``."""
        return self.entity.pk

    @property
    def sk(self) -> str:
        """Sort key in ``commands`` and ``history``."""
        return self.entity.version_sk(self.version)

    def previous(self) -> VersionKey | None:
        """The version before, None for the first."""
        return VersionKey(self.entity, self.version - 1) if self.version > FIRST_VERSION else None

    def next(self) -> VersionKey:
        """The version after."""
        return VersionKey(self.entity, self.version + 1)

    @classmethod
    def parse(cls, pk: str, sk: str) -> VersionKey:
        """From the keys of a row in ``commands`` or ``history``.

        Raises:
            ValidationError: naming ``pk`` or ``sk``.
        """
        base, at, digits = sk.rpartition(VERSION_SEPARATOR) if isinstance(sk, str) else ("", "", "")
        if not at or len(digits) != VERSION_DIGITS or not (digits.isascii() and digits.isdigit()):
            raise ValidationError("sk", sk, f"<TYPE>#<code>@<version with {VERSION_DIGITS} digits>")
        return cls(EntityKey.parse(pk, base), check_version_number("sk", int(digits)))

    def __str__(self) -> str:
        return f"{self.entity}@{self.version}"


@dataclass(frozen=True, slots=True)
class TaskKey:
    """A task: ``TASK#<tenant>`` or, if it has items, ``SFN_TASK#<tenant>``; ``<taskType>#<ulid>``."""

    kind: str
    tenant_code: str
    type: str
    ulid: str

    def __post_init__(self) -> None:
        if self.kind not in (TASK_KIND, BATCH_KIND):
            raise ValidationError("kind", self.kind, f"{TASK_KIND} or {BATCH_KIND}")
        check_part("tenantCode", self.tenant_code)
        check_part("taskType", self.type)
        _check_ulid(self.ulid)
        _check_bytes("pk", self.pk, MAX_PK_BYTES)
        _check_bytes("sk", f"{self.sk}{SEPARATOR}{0:0{INDEX_DIGITS}d}", MAX_SK_BYTES)

    @property
    def pk(self) -> str:
        """Partition key of the task and its items."""
        return f"{self.kind}{SEPARATOR}{self.tenant_code}"

    @property
    def sk(self) -> str:
        """Sort key of the task's row; its items come right behind."""
        return f"{self.type}{SEPARATOR}{self.ulid}"

    @property
    def id(self) -> str:
        """The task's name for people and messages: ``<pk>#<sk>``."""
        return row_id(self.pk, self.sk)

    @property
    def items_prefix(self) -> str:
        """What the sort keys of all items begin with, and no other row's."""
        return f"{self.sk}{SEPARATOR}"

    def item(self, index: int) -> TaskItemKey:
        """The key of one item."""
        return TaskItemKey(self, index)

    @classmethod
    def parse(cls, pk: str, sk: str) -> TaskKey:
        """From the keys of a task's row. Raises ValidationError naming ``pk`` or ``sk``."""
        kind, tenant_code = _two_parts("pk", pk, "TASK#<tenantCode> or SFN_TASK#<tenantCode>")
        return cls(kind, tenant_code, *_two_parts("sk", sk, "<taskType>#<ulid>"))

    @classmethod
    def parse_id(cls, text: str) -> TaskKey:
        """From ``id``. Raises ValidationError."""
        parts = text.split(SEPARATOR) if isinstance(text, str) else []
        if len(parts) != 4:
            raise ValidationError("taskId", text, "TASK#<tenant>#<taskType>#<ulid> or SFN_TASK#...")
        return cls(*parts)

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class TaskItemKey:
    """One item of a task; ``index`` counts from 0."""

    task: TaskKey
    index: int

    @property
    def pk(self) -> str:
        """The task's partition key."""
        return self.task.pk

    @property
    def sk(self) -> str:
        """Sort key; items sort by index."""
        return f"{self.task.items_prefix}{self.index:0{INDEX_DIGITS}d}"

    @classmethod
    def parse(cls, pk: str, sk: str) -> TaskItemKey:
        """From the keys of an item's row. Raises ValidationError."""
        parent, _, digits = sk.rpartition(SEPARATOR)
        if len(digits) != INDEX_DIGITS or not (digits.isascii() and digits.isdigit()):
            raise ValidationError("sk", sk, f"<taskType>#<ulid>#<index with {INDEX_DIGITS} digits>")
        return cls(TaskKey.parse(pk, parent), int(digits))

    def __str__(self) -> str:
        return row_id(self.pk, self.sk)


@dataclass(frozen=True, slots=True)
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
        _check_ulid(self.ulid)
        _check_bytes("pk", self.shard(0)[0], MAX_PK_BYTES)

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
        """The job's name for people and messages: ``<pk>#<sk>``."""
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
        """The job that imports one file of an archive: the same whenever it is asked for."""
        digest = hashlib.sha256(f"{self.id}{SEPARATOR}{position}".encode()).digest()
        own = self.ulid[:_ULID_TIME_CHARS] + ulid(0, digest[:ULID_RANDOM_BYTES])[_ULID_TIME_CHARS:]
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


@dataclass(frozen=True, slots=True)
class ImportRowKey:
    """A row that is imported. ``name``: ``<job's ulid>#<index>`` of a row of a file, which is the same whenever the
    file is read; ``<tableName>#<ulid>`` of a row on its own.
    """

    tenant_code: str
    name: str

    def __post_init__(self) -> None:
        check_part("tenantCode", self.tenant_code)
        first, second = _two_parts("name", self.name, "<job>#<index> or <tableName>#<ulid>")
        if self.index is None:
            check_part("tableName", first)
            _check_ulid(second)

    @property
    def index(self) -> int | None:
        """The row's place in its file, from 0; None for a row on its own."""
        first, _, second = self.name.partition(SEPARATOR)
        return int(second) if _is_ulid(first) and second.isascii() and second.isdigit() else None

    @property
    def pk(self) -> str:
        """``IMPORT#<tenant>``, and for a row of a file also its job and the partition there."""
        if self.index is None:
            return f"{IMPORT_KIND}{SEPARATOR}{self.tenant_code}"
        job = self.name.partition(SEPARATOR)[0]
        return SEPARATOR.join((IMPORT_KIND, self.tenant_code, job, str(self.index % IMPORT_SHARDS)))

    @property
    def sk(self) -> str:
        """Sort key; the rows of a partition sort by their place in the file."""
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
        """The row and the attempt that a request id names; None if it is not an import's."""
        name, _, attempt = request_id.rpartition(SEPARATOR)
        try:
            key = cls(tenant_code, name)
        except ValidationError:
            return None
        return (key, int(attempt)) if attempt.isascii() and attempt.isdigit() else None

    def __str__(self) -> str:
        return row_id(self.pk, self.sk)


def import_partition(kind: str, tenant_code: str) -> str:
    """Partition key of all jobs of a kind of a tenant."""
    check_part("tenantCode", tenant_code)
    return f"{kind}{SEPARATOR}{tenant_code}"


def task_partition(kind: str, tenant_code: str) -> str:
    """Partition key of all tasks of a tenant, those with items (``SFN_TASK``) or those without (``TASK``)."""
    check_part("tenantCode", tenant_code)
    return f"{kind}{SEPARATOR}{tenant_code}"


def approval_partition(tenant_code: str) -> str:
    """Partition key of a tenant's approvals, in ``tasks``."""
    return task_partition(APPROVAL_KIND, tenant_code)


def approval_prefix(workflow: str) -> str:
    """What the sort keys of all approvals of a workflow begin with."""
    check_part("workflow", workflow)
    return f"{workflow}{SEPARATOR}"


def approval_sk(workflow: str, request_id: str) -> str:
    """Sort key of one approval."""
    check_part("requestId", request_id)
    sk = f"{approval_prefix(workflow)}{request_id}"
    _check_bytes("requestId", sk, MAX_SK_BYTES)
    return sk


def parse_approval_sk(sk: str) -> tuple[str, str]:
    """Workflow and request id."""
    return _two_parts("sk", sk, "<workflow>#<requestId>")


def saga_partition(tenant_code: str) -> str:
    """Partition key of a tenant's sagas, in ``tasks``."""
    return task_partition(SAGA_KIND, tenant_code)


def task_type_prefix(type_: str) -> str:
    """What the sort keys of all tasks of a type begin with."""
    check_part("taskType", type_)
    return f"{type_}{SEPARATOR}"


def task_sk_of(sk: str) -> str:
    """The task's sort key, from its own or from one of its items'."""
    return SEPARATOR.join(sk.split(SEPARATOR)[:2])


def ulid(milliseconds: int, randomness: bytes) -> str:
    """An id that sorts by time. ``randomness``: ten bytes."""
    number = (milliseconds << 80) | int.from_bytes(randomness)
    return "".join(ULID_ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))


def row_id(pk: str, sk: str) -> str:
    """The id that messages carry for a row (docs/spec/capabilities.md): ``<pk>#<sk>``."""
    return f"{pk}{SEPARATOR}{sk}"


def tenant_of(pk: str) -> str:
    """The tenant of any row: the second part of its partition key, however many parts follow."""
    parts = pk.split(SEPARATOR)
    if len(parts) < 2 or not parts[1]:
        raise ValidationError("pk", pk, "<KIND>#<tenantCode>")
    return parts[1]


def request_sk(request_id: str) -> str:
    """Sort key of the row that remembers a request id."""
    if not isinstance(request_id, str) or not 0 < len(request_id) <= MAX_REQUEST_ID_CHARS or "@" in request_id:
        raise ValidationError("requestId", request_id, f"1 to {MAX_REQUEST_ID_CHARS} characters without '@'")
    encoded("requestId", request_id)
    return f"{REQUEST_TYPE}{SEPARATOR}{request_id}"


def resync_key(target: str, type_: str | None, tenant_code: str | None) -> tuple[str, str]:
    """Keys of the row in ``tasks`` that remembers how far a resync of a sync target has come.

    None: the target's rows of all types, of all tenants; ``*`` stands for it.
    """
    return f"{RESYNC_KIND}{SEPARATOR}{tenant_code or '*'}", f"{target}{SEPARATOR}{type_ or '*'}"


def open_shard(pk: str, sk: str) -> int:
    """Shard of the ``open`` index, 0 to 15: spreads the rows, the same for a row every time."""
    return hashlib.blake2b(row_id(pk, sk).encode(), digest_size=1).digest()[0] % OPEN_SHARDS


def check_version_number(field: str, version: object) -> int:
    """A stored version as an int in 1 to 9,999,999,999."""
    if not isinstance(version, int) or isinstance(version, bool) or not FIRST_VERSION <= version <= MAX_VERSION:
        raise ValidationError(field, version, f"a whole number from {FIRST_VERSION} to {MAX_VERSION}")
    return version


def to_stored_name(python_name: str) -> str:
    """``tenant_code`` to ``tenantCode``."""
    first, *rest = python_name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _is_ulid(text: str) -> bool:
    return len(text) == ULID_CHARS and set(text) <= set(ULID_ALPHABET)


def _check_ulid(text: str) -> None:
    if not _is_ulid(text):
        raise ValidationError("ulid", text, f"{ULID_CHARS} characters of {ULID_ALPHABET}")


def _check_bytes(field: str, value: str, limit: int) -> None:
    if len(value) <= limit // 4:  # a character has four bytes at most
        return
    size = len(encoded(field, value))
    if size > limit:
        raise ValidationError(field, value, f"at most {limit} bytes, this has {size}")


def _two_parts(field: str, value: object, form: str) -> tuple[str, str]:
    parts = value.split(SEPARATOR) if isinstance(value, str) else []
    if len(parts) != 2:
        raise ValidationError(field, value, form)
    return parts[0], parts[1]
