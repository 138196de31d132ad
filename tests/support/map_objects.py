"""S3 of a Distributed Map in memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local.states.maps.objects import ObjectError, Pinned


class MemoryObjects:
    """``Objects`` in memory: every version of every object, and who did what."""

    def __init__(self, piece: int = 1024) -> None:
        self.versions: dict[tuple[str, str], list[bytes]] = {}
        self.calls: list[tuple[str, str, str]] = []
        self.refused: set[str] = set()
        self.piece = piece

    def add(self, key: str, body: str | bytes, bucket: str = "bucket") -> str:
        """A new version; its id."""
        versions = self.versions.setdefault((bucket, key), [])
        versions.append(body.encode() if isinstance(body, str) else body)
        return f"v{len(versions)}"

    def load(self, objects: Mapping[str, list[str]]) -> None:
        """Objects of a fixture: bucket/key -> its versions."""
        for name, versions in objects.items():
            bucket, _, key = name.partition("/")
            for version in versions:
                self.add(key, version, bucket)

    def json(self, key: str, bucket: str = "bucket") -> Any:
        return json.loads(self.versions[bucket, key][-1])

    def pin(self, caller: str, bucket: str, key: str, version: str | None = None) -> tuple[Pinned, bytes]:
        self._note(caller, "read", key)
        versions = self.versions.get((bucket, key), [])
        number = len(versions) if version is None else int(version.removeprefix("v"))
        if not 1 <= number <= len(versions):
            raise ObjectError("NoSuchKey: The specified key does not exist.")
        body = versions[number - 1]
        return Pinned(bucket, key, len(body), f"etag{number}", f"v{number}"), body[: self.piece]

    def read(self, caller: str, pinned: Pinned, start: int) -> bytes:
        self._note(caller, "read", pinned.key)
        assert pinned.version is not None
        body = self.versions[pinned.bucket, pinned.key][int(pinned.version.removeprefix("v")) - 1]
        return body[start : start + self.piece]

    def write(self, caller: str, bucket: str, key: str, body: bytes) -> None:
        self._note(caller, "write", key)
        self.add(key, body, bucket)

    def _note(self, caller: str, what: str, key: str) -> None:
        self.calls.append((caller, what, key))
        if what in self.refused:
            raise ObjectError("AccessDenied: Access Denied")
