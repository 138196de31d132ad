"""Commands as the application sees them, and their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract.command_status import FAILED_SUFFIX
from handlers.commands.attributes import MAX_ATTRIBUTES_BYTES, POINTER
from handlers.commands.keys import DEFAULT_KIND, EntityKey, VersionKey
from handlers.core.clock import iso
from handlers.core.errors import ValidationError
from handlers.core.key_parts import VERSION_SEPARATOR, check_new_part
from handlers.core.keys import MAX_VERSION, open_shard
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.json_values import check_attributes, check_text, plain_value
from handlers.core.values.stored_names import to_stored_name

if TYPE_CHECKING:
    from handlers.core.context import InvokeContext

LATEST = -1
NOTHING_STORED = 0

MAX_NAME_CHARS = 1000
#: Status of a row in ``commands`` that was not written by publishing.
NO_STATUS = "unknown"


@dataclass(frozen=True)
class CommandInput:
    """The input of publishing: the full new state of one entity.

    ``version``: 0 or None means "I expect that nothing exists yet", -1 "on top of the latest", n "on top of n".
    """

    type: str
    code: str
    name: str
    attributes: dict[str, Any]
    version: int | None = NOTHING_STORED
    is_deleted: bool = False
    seq: int | None = None
    kind: str = DEFAULT_KIND

    def key(self, context: InvokeContext) -> EntityKey:
        """The entity, in the caller's tenant. Raises ValidationError naming the part."""
        return EntityKey.of_caller(self.kind, context.tenant_code, self.type, self.code)

    def checked(self) -> CommandInput:
        """Return a validated copy with values as stored: plain types, and the version as a number.

        Raises:
            ValidationError: naming the field.
        """
        if not isinstance(self.is_deleted, bool):
            raise ValidationError("isDeleted", self.is_deleted, "True or False")
        if self.seq is not None and (not isinstance(self.seq, int) or isinstance(self.seq, bool)):
            raise ValidationError("seq", self.seq, "a whole number or None")
        return CommandInput(
            type=check_new_part("type", self.type),
            code=check_new_part("code", self.code),
            name=check_text("name", self.name, MAX_NAME_CHARS),
            attributes=check_attributes(self.attributes, MAX_ATTRIBUTES_BYTES),
            version=check_expected_version(self.version),
            is_deleted=self.is_deleted,
            seq=plain_value("seq", self.seq),
            kind=check_new_part("kind", self.kind),
        )


@dataclass(frozen=True)
class Command:
    """One accepted version of an entity, as sync handlers and readers receive it.

    ``version`` is the plain number; ``created_*`` are from the entity's first version, ``updated_*`` from this one.
    """

    pk: str
    sk: str
    id: str
    code: str
    name: str
    type: str
    version: int
    tenant_code: str
    attributes: dict[str, Any]
    is_deleted: bool
    created_at: str
    created_by: str
    created_ip: str
    updated_at: str
    updated_by: str
    updated_ip: str
    source: str
    seq: int | None = None
    request_id: str | None = None
    ttl: int | None = None

    @property
    def key(self) -> VersionKey:
        """The key of the command's row."""
        return VersionKey.parse(self.pk, self.sk)

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Command:
        """From a decoded row (``AttributeStore.decoded``); pipeline fields are dropped."""
        if POINTER in row:
            raise ValueError(f"{row['pk']} {row['sk']}: its attributes are in the bucket; decode the row first")
        row = completed(row)
        return cls(**{name: row[stored] for name, stored in _STORED.items() if stored in row})

    def to_row(self) -> dict[str, Any]:
        """The business fields of the row; absent optional fields are omitted."""
        row = {stored: getattr(self, name) for name, stored in _STORED.items()}
        return {stored: value for stored, value in row.items() if value is not None}


def business_part(row: dict[str, Any]) -> dict[str, Any]:
    """The business fields of a stored row, decoded or not, without pipeline fields."""
    return {name: row[name] for name in (*_STORED.values(), POINTER) if name in row}


def completed(row: dict[str, Any]) -> dict[str, Any]:
    """A stored row with every field that readers rely on. Rows written by this product are returned unchanged.

    For others, defaults are filled in: empty values, not deleted and, in ``commands``, a status that nothing acts on;
    version, code, type and tenant are taken from the key (version 0 for a data row).
    """
    if row.keys() >= _RELIED_ON and ("status" not in row or row.keys() >= _RELIED_ON_IN_COMMANDS):
        return row
    is_version = VERSION_SEPARATOR in row["sk"]
    key = VersionKey.parse(row["pk"], row["sk"]) if is_version else None
    entity = EntityKey.parse(row["pk"], row["sk"]) if key is None else key.entity
    filled: dict[str, Any] = {
        **dict.fromkeys(_RELIED_ON, ""),
        "version": 0 if key is None else key.version,
        "code": entity.code,
        "type": entity.type,
        "tenantCode": entity.tenant_code,
        "isDeleted": False,
    }
    if POINTER not in row:
        filled["attributes"] = {}
    if key is not None and "cpk" not in row:
        filled.update(status=NO_STATUS, attempt=1, rank=0, targets={})
        if str(row.get("status", "")).endswith(FAILED_SUFFIX):
            filled["error"] = {"type": NO_STATUS, "message": "", "state": ""}
    return {**filled, **row}


_STORED = {name: to_stored_name(name) for name in Command.__annotations__}
#: Fields that the product's rows always have; ``attributes`` isn't one, since large ones are in the bucket.
_RELIED_ON = frozenset(_STORED.values()) - {"attributes", "seq", "requestId", "ttl"}
_RELIED_ON_IN_COMMANDS = frozenset({"attempt", "rank", "targets"})


def check_expected_version(version: object) -> int:
    """Validate the version that a caller publishes on. Raises ValidationError."""
    if version is None:
        return NOTHING_STORED
    if not isinstance(version, int) or isinstance(version, bool) or not LATEST <= version < MAX_VERSION:
        raise ValidationError("version", version, "-1 (latest), 0 or None (nothing stored), or a stored version")
    return int(version)


def build_command(
    given: CommandInput,
    key: VersionKey,
    context: InvokeContext,
    *,
    row_id: str,
    now: float,
    first: dict[str, Any] | None,
    source: str,
) -> Command:
    """Build a new version from an allow-list of business fields; nothing else does (defect C13).

    ``first``: the row from which the created-fields are copied: the latest version, if there is one.
    """
    moment = iso(now)
    created = (
        first
        if first is not None and first["createdAt"]
        else {"createdAt": moment, "createdBy": context.user_id, "createdIp": context.source_ip}
    )
    return Command(
        pk=key.pk,
        sk=key.sk,
        id=row_id,
        code=given.code,
        name=given.name,
        type=given.type,
        version=key.version,
        tenant_code=context.tenant_code,
        attributes=given.attributes,
        is_deleted=given.is_deleted,
        seq=given.seq,
        request_id=context.request_id,
        source=source,
        created_at=created["createdAt"],
        created_by=created["createdBy"],
        created_ip=created["createdIp"],
        updated_at=moment,
        updated_by=context.user_id,
        updated_ip=context.source_ip,
    )


def pipeline_fields(key: VersionKey, status: str, rank: int, due_at: int) -> dict[str, Any]:
    """Fields that the pipeline adds to a new row. Never inherited by another version."""
    return {
        "status": status,
        "rank": rank,
        "attempt": 1,
        "targets": {},
        "openShard": open_shard(key.pk, key.sk),
        "dueAt": due_at,
    }
