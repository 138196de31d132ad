"""The key grammar and the stored names: the only place that builds or parses keys.

``pk = <KIND>#<tenantCode>``, ``sk = <TYPE>#<code>``; a command's or history row's ``sk`` adds
``@<version>``, zero padded to ten digits so that the latest is one descending query with limit 1.
``#`` and ``@`` are refused inside the parts, so distinct entities never share a key.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from handlers.errors import ValidationError

SEPARATOR = "#"
VERSION_SEPARATOR = "@"
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


@dataclass(frozen=True, slots=True)
class EntityKey:
    """One entity: what versions, order and projections belong to."""

    kind: str
    tenant_code: str
    type: str
    code: str

    def __post_init__(self) -> None:
        _check_part("kind", self.kind)
        _check_part("tenantCode", self.tenant_code)
        _check_part("type", self.type)
        _check_part("code", self.code)
        if self.type == REQUEST_TYPE:
            raise ValidationError("type", self.type, f"any type but {REQUEST_TYPE}, which holds request ids")
        _check_bytes("pk", self.pk, MAX_PK_BYTES)
        _check_bytes("sk", self.version_sk(FIRST_VERSION), MAX_SK_BYTES)

    @property
    def pk(self) -> str:
        """Partition key of all rows of the entity."""
        return f"{self.kind}{SEPARATOR}{self.tenant_code}"

    @property
    def sk(self) -> str:
        """Sort key of the data row."""
        return f"{self.type}{SEPARATOR}{self.code}"

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
        return f"{self.pk} {self.sk}"


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
        base, at, digits = sk.rpartition(VERSION_SEPARATOR)
        if not at or len(digits) != VERSION_DIGITS or not (digits.isascii() and digits.isdigit()):
            raise ValidationError("sk", sk, f"<TYPE>#<code>@<version with {VERSION_DIGITS} digits>")
        return cls(EntityKey.parse(pk, base), check_version_number("sk", int(digits)))

    def __str__(self) -> str:
        return f"{self.entity}@{self.version}"


def row_id(pk: str, sk: str) -> str:
    """The id that messages carry for a row (design section 6): ``<pk>#<sk>``."""
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


def _check_part(field: str, value: object) -> None:
    allowed = "text that is not empty and has no '#' and no '@'"
    if not isinstance(value, str) or not value or SEPARATOR in value or VERSION_SEPARATOR in value:
        raise ValidationError(field, value, allowed)
    _utf8(field, value)


def _check_bytes(field: str, value: str, limit: int) -> None:
    size = len(_utf8(field, value))
    if size > limit:
        raise ValidationError(field, value, f"at most {limit} bytes, this has {size}")


def _utf8(field: str, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise ValidationError(field, value, "text that can be encoded as UTF-8") from None


def _two_parts(field: str, value: object, form: str) -> tuple[str, str]:
    parts = value.split(SEPARATOR) if isinstance(value, str) else []
    if len(parts) != 2:
        raise ValidationError(field, value, form)
    return parts[0], parts[1]
