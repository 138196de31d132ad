"""The object port in memory."""

from __future__ import annotations

from handlers.errors import ObjectMissing, ObjectTooLarge
from handlers.objects.port import JSON


class MemoryObjects:
    """See ``Objects``. ``contents`` holds key to body, ``calls`` what was asked, in order."""

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
