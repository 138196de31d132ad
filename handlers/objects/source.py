"""The port for objects that are read in parts: files to import, in any bucket, pinned to the first version found."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from handlers.core.light_dataclasses import dataclass


@dataclass(frozen=True)
class ObjectInfo:
    """An object as found. ``version_id`` is None in an unversioned bucket; then ``etag`` pins it."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None


class ObjectSource(Protocol):
    """Objects. Methods, and the streams that they return, raise ``TransientError`` if a retry may work."""

    def find(self, bucket: str, key: str) -> ObjectInfo:
        """Find the current object. Raises ``ObjectMissing`` or ``BucketMissing``."""
        ...

    def open(self, info: ObjectInfo) -> BinaryIO:
        """Exactly this content, as a stream to be closed.

        Raises:
            ObjectChanged: it is not there any more.
        """
        ...

    def read_range(self, info: ObjectInfo, start: int, length: int) -> bytes:
        """At most ``length`` bytes (at least 1) of exactly this content from ``start``; fewer only at its end.

        Raises:
            ObjectChanged: it is not there any more.
        """
        ...
