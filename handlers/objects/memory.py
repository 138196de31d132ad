"""The object port in memory."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from typing import BinaryIO

from handlers.core.errors import BucketMissing, ObjectChanged, ObjectMissing, ObjectTooLarge
from handlers.objects.port import JSON
from handlers.objects.source import ObjectInfo


class MemoryObjects:
    """See ``Objects``. ``contents``: key to body; ``calls``: the names of the calls in order."""

    def __init__(self, bucket: str = "memory") -> None:
        self._bucket = bucket
        self.contents: dict[str, bytes] = {}
        self.calls: list[str] = []

    @property
    def bucket(self) -> str:
        """See Objects."""
        return self._bucket

    def put(self, key: str, body: bytes, *, content_type: str = JSON) -> None:
        """See Objects."""
        self.calls.append("put")
        self.contents[key] = body

    def write(self, key: str, blocks: Iterable[bytes], *, content_type: str = JSON) -> int:
        """See Objects."""
        self.calls.append("write")
        body = b"".join(blocks)
        self.contents[key] = body
        return len(body)

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """See Objects."""
        self.calls.append("get")
        body = self.contents.get(key)
        if body is None:
            raise ObjectMissing(self._bucket, key)
        if len(body) > max_bytes:
            raise ObjectTooLarge(self._bucket, key, len(body), max_bytes)
        return body

    def delete(self, key: str) -> None:
        """See Objects."""
        self.calls.append("delete")
        self.contents.pop(key, None)


class MemorySource:
    """See ``ObjectSource``. ``contents``: bucket to key to versions of the content, the latest one last."""

    def __init__(self, *buckets: str, versioned: bool = True) -> None:
        self.contents: dict[str, dict[str, list[bytes]]] = {bucket: {} for bucket in buckets}
        self._versioned = versioned

    def put(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object."""
        self.contents[bucket].setdefault(key, []).append(body)

    def find(self, bucket: str, key: str) -> ObjectInfo:
        """See ObjectSource."""
        if bucket not in self.contents:
            raise BucketMissing(bucket)
        versions = self.contents[bucket].get(key)
        if not versions:
            raise ObjectMissing(bucket, key)
        version = str(len(versions)) if self._versioned else None
        return ObjectInfo(bucket, key, len(versions[-1]), _etag(versions[-1]), version)

    def open(self, info: ObjectInfo) -> BinaryIO:
        """See ObjectSource."""
        return io.BytesIO(self._body(info))

    def read_range(self, info: ObjectInfo, start: int, length: int) -> bytes:
        """See ObjectSource."""
        return self._body(info)[start : start + length]

    def _body(self, info: ObjectInfo) -> bytes:
        versions = self.contents[info.bucket].get(info.key, [])
        body = versions[-1 if info.version_id is None else int(info.version_id) - 1] if versions else b""
        if not versions or _etag(body) != info.etag:
            raise ObjectChanged(info.bucket, info.key)
        return body


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


class MemoryLinks:
    """See ``Links``."""

    def upload(self, key: str) -> str:
        """See Links."""
        return f"https://objects.invalid/put/{key}"

    def download(self, key: str) -> str:
        """See Links."""
        return f"https://objects.invalid/get/{key}"
