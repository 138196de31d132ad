"""Keys of commands, data and history: ``pk = <KIND>#<tenantCode>``, ``sk = <TYPE>#<code>``.

The ``sk`` of a command or history row adds ``@<version>``, zero-padded to ten digits so that one descending query with
limit 1 finds the latest.
"""

from __future__ import annotations

from handlers.core.errors import ValidationError
from handlers.core.key_parts import SEPARATOR, VERSION_SEPARATOR, check_new_part, check_part
from handlers.core.keys import (
    FIRST_VERSION,
    MAX_PK_BYTES,
    MAX_SK_BYTES,
    REQUEST_TYPE,
    VERSION_DIGITS,
    check_bytes,
    check_version_number,
    row_id,
    two_parts,
)
from handlers.core.light_dataclasses import dataclass

DEFAULT_KIND = "TENANT"


@dataclass(frozen=True)
class EntityKey:
    """One entity: the unit of versioning, ordering and projection."""

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
        check_bytes("pk", self.pk, MAX_PK_BYTES)
        check_bytes("sk", self.version_prefix + "0" * VERSION_DIGITS, MAX_SK_BYTES)

    @classmethod
    def of_caller(cls, kind: str, tenant_code: str, type_: str, code: str) -> EntityKey:
        """The entity that a caller names. New parts are validated more strictly than those of stored keys.

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
        )  # unlike an f-string, join uses the value of an enumeration's member

    @property
    def sk(self) -> str:
        """Sort key of the data row."""
        return SEPARATOR.join((self.type, self.code))

    def version_sk(self, version: int) -> str:
        """Sort key of one version in ``commands`` or ``history``."""
        return f"{self.version_prefix}{check_version_number('version', version):0{VERSION_DIGITS}d}"

    @property
    def version_prefix(self) -> str:
        """Prefix of the sort keys of all versions of this entity and of no other."""
        return f"{self.sk}{VERSION_SEPARATOR}"

    @classmethod
    def parse(cls, pk: str, sk: str) -> EntityKey:
        """From the keys of a data row.

        Raises:
            ValidationError: naming ``pk`` or ``sk``.
        """
        kind, tenant_code = two_parts("pk", pk, "<KIND>#<tenantCode>")
        type_, code = two_parts("sk", sk, "<TYPE>#<code>")
        return cls(kind, tenant_code, type_, code)

    def __str__(self) -> str:
        """For display, unique per entity: ``<pk> <sk>``, or ``<pk>#<sk>`` if blanks would make part boundaries
        ambiguous.
        """
        parts = (self.kind, self.tenant_code, self.type, self.code)
        is_clear = all(part == part.strip() for part in parts) and " " not in self.type
        return f"{self.pk} {self.sk}" if is_clear else row_id(self.pk, self.sk)


@dataclass(frozen=True)
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
        """The preceding version, None for the first."""
        return VersionKey(self.entity, self.version - 1) if self.version > FIRST_VERSION else None

    def next(self) -> VersionKey:
        """The following version."""
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
