"""Attributes in rows and in the bucket: the only module that encodes and decodes them.

Up to ``inlineAttributeLimit`` they are in the item as ``attributes``. Above it they are an object in the bucket, and
the item has a pointer instead: ``attributesRef: {bucket, key, size, sha256}``. The command, data and history rows of a
version share the pointer, so a version is uploaded once (decision record 0030).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from contract.objects import ATTRIBUTES as PREFIX
from handlers.commands.keys import VersionKey
from handlers.core.errors import AttributesDamaged
from handlers.core.keys import VERSION_DIGITS
from handlers.core.values.json_values import json_bytes, same_json

if TYPE_CHECKING:
    from handlers.objects.port import Objects
    from handlers.store.port import Item

ATTRIBUTES = "attributes"
POINTER = "attributesRef"
#: Bytes of JSON. The highest limit fits into an item of 400 KB (Developer Guide, "Quotas"): DynamoDB counts at most
#: half as much again as JSON (``[1,1]``: three bytes per number instead of two); the rest is for the other fields.
DEFAULT_INLINE_LIMIT = 65_536
MIN_INLINE_LIMIT = 1_024
MAX_INLINE_LIMIT = 196_608
#: Upper limit of attributes: what a function of 512 MB can parse, unless all values are tiny (decision record 0030).
MAX_ATTRIBUTES_BYTES = 20 * 1024 * 1024

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")


class AttributeStore:
    """Moves large attributes out of rows and back."""

    def __init__(self, objects: Objects, inline_limit: int = DEFAULT_INLINE_LIMIT) -> None:
        if not MIN_INLINE_LIMIT <= inline_limit <= MAX_INLINE_LIMIT:
            raise ValueError(f"inline_limit {inline_limit} is not within {MIN_INLINE_LIMIT} to {MAX_INLINE_LIMIT}")
        self._objects = objects
        self._inline_limit = inline_limit

    def encoded(self, row: Item) -> Item:
        """A command row as stored. Writes the object first, if one is needed, so that no pointer ever dangles.

        The key is derived from entity, version and content: a retry writes the same object again, and different content
        never overwrites it.
        """
        body = json_bytes(row[ATTRIBUTES])
        if len(body) <= self._inline_limit:
            return row
        digest = hashlib.sha256(body).hexdigest()
        key = object_key(VersionKey.parse(row["pk"], row["sk"]), digest)
        self._objects.put(key, body)
        pointer = {"bucket": self._objects.bucket, "key": key, "size": len(body), "sha256": digest}
        return {**{name: value for name, value in row.items() if name != ATTRIBUTES}, POINTER: pointer}

    def decoded(self, row: Item) -> Item:
        """A stored row (command, data or history) as readers see it: with ``attributes`` instead of a pointer.

        Raises:
            AttributesDamaged: the pointer refers to another bucket, or the object was changed.
            ObjectMissing: the object no longer exists.
        """
        pointer = row.get(POINTER)
        if pointer is None:
            return row
        whole = {name: value for name, value in row.items() if name != POINTER}
        return {**whole, ATTRIBUTES: self._read(pointer, f"{row['pk']} {row['sk']}")}

    def same(self, row: Item, attributes: dict[str, Any]) -> bool:
        """Whether a stored row has these attributes, as returned by ``check_attributes``. Downloads nothing."""
        pointer = row.get(POINTER)
        if pointer is None:
            return same_json(row[ATTRIBUTES], attributes)
        return bool(pointer["sha256"] == hashlib.sha256(json_bytes(attributes)).hexdigest())

    def discard(self, lost: Item, winner: Item) -> None:
        """Remove the object of a row that was not written because ``winner`` already has the version."""
        pointer, kept = lost.get(POINTER), winner.get(POINTER)
        if pointer is not None and (kept is None or kept["key"] != pointer["key"]):
            self._objects.delete(pointer["key"])

    def _read(self, pointer: dict[str, Any], row: str) -> Any:
        if pointer["bucket"] != self._objects.bucket:
            raise AttributesDamaged(
                f"{row}: its attributes are in bucket {pointer['bucket']!r}, but this stack's is "
                f"{self._objects.bucket!r}; nothing was read"
            )
        body = self._objects.get(pointer["key"], max_bytes=MAX_ATTRIBUTES_BYTES)
        digest = hashlib.sha256(body).hexdigest()
        if len(body) != pointer["size"] or digest != pointer["sha256"]:
            raise AttributesDamaged(
                f"{row}: s3://{pointer['bucket']}/{pointer['key']} has {len(body)} bytes with SHA-256 {digest}; "
                f"the row expects {pointer['size']} with {pointer['sha256']}"
            )
        return json.loads(body)


def object_key(key: VersionKey, digest: str) -> str:
    """``attributes/<tenant>/<entity>/<version>-<SHA-256>.json``: safe characters, well below S3's 1,024 bytes."""
    tenant = key.entity.tenant_code
    folder = tenant if _SAFE.fullmatch(tenant) else f"!{_hash(tenant)}"
    return f"{PREFIX}{folder}/{_hash(str(key.entity))}/{key.version:0{VERSION_DIGITS}d}-{digest}.json"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
