"""The grammar shared by all keys of tables; each capability defines its keys in its own ``keys`` module.

``pk = <KIND>#<tenantCode>``, with further parts after ``#`` if a partition needs them; capabilities define ``sk``.
``#`` and ``@`` aren't allowed inside parts (``key_parts``), so distinct entities never share a key.
"""

from __future__ import annotations

import hashlib

from handlers.core.errors import ValidationError
from handlers.core.key_parts import SEPARATOR, check_part, encoded

VERSION_DIGITS = 10
FIRST_VERSION = 1
MAX_VERSION = 10**VERSION_DIGITS - 1
REQUEST_TYPE = "REQ"
OPEN_SHARDS = 16

#: DynamoDB's limits for key attributes, in bytes of UTF-8 (Developer Guide, "Quotas").
MAX_PK_BYTES = 2048
MAX_SK_BYTES = 1024
MAX_REQUEST_ID_CHARS = 200


def partition(kind: str, tenant_code: str) -> str:
    """Partition key of all rows of a kind of a tenant. Raises ValidationError naming ``tenantCode``."""
    check_part("tenantCode", tenant_code)
    return f"{kind}{SEPARATOR}{tenant_code}"


def row_id(pk: str, sk: str) -> str:
    """The id of a row in messages (docs/spec/capabilities.md): ``<pk>#<sk>``."""
    return f"{pk}{SEPARATOR}{sk}"


def tenant_of(pk: str) -> str:
    """The tenant of a row: the second part of its partition key, which may have more parts."""
    parts = pk.split(SEPARATOR)
    if len(parts) < 2 or not parts[1]:
        raise ValidationError("pk", pk, "<KIND>#<tenantCode>")
    return parts[1]


def request_sk(request_id: str) -> str:
    """Sort key of the row that stores a request id."""
    if not isinstance(request_id, str) or not 0 < len(request_id) <= MAX_REQUEST_ID_CHARS or "@" in request_id:
        raise ValidationError("requestId", request_id, f"1 to {MAX_REQUEST_ID_CHARS} characters without '@'")
    encoded("requestId", request_id)
    return f"{REQUEST_TYPE}{SEPARATOR}{request_id}"


def open_shard(pk: str, sk: str) -> int:
    """Shard of the ``open`` index, 0 to 15: distributes the rows, and is constant for each row."""
    return hashlib.blake2b(row_id(pk, sk).encode(), digest_size=1).digest()[0] % OPEN_SHARDS


def check_version_number(field: str, version: object) -> int:
    """Return a stored version as an int from 1 to 9,999,999,999. Raises ValidationError naming ``field``."""
    if not isinstance(version, int) or isinstance(version, bool) or not FIRST_VERSION <= version <= MAX_VERSION:
        raise ValidationError(field, version, f"a whole number from {FIRST_VERSION} to {MAX_VERSION}")
    return version


def check_bytes(field: str, value: str, limit: int) -> None:
    """Check the length of a key. Raises ValidationError naming ``field``."""
    if len(value) <= limit // 4:  # a character has at most four bytes
        return
    size = len(encoded(field, value))
    if size > limit:
        raise ValidationError(field, value, f"at most {limit} bytes, this has {size}")


def two_parts(field: str, value: object, form: str) -> tuple[str, str]:
    """Split a key into its two parts. Raises ValidationError naming the allowed ``form``."""
    parts = value.split(SEPARATOR) if isinstance(value, str) else []
    if len(parts) != 2:
        raise ValidationError(field, value, form)
    return parts[0], parts[1]
