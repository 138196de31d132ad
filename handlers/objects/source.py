"""The port for objects that are read in parts: files to import, in any bucket, pinned to what was found first."""

from __future__ import annotations

from typing import BinaryIO, Protocol

from handlers.core.light_dataclasses import dataclass


@dataclass(frozen=True)
class ObjectInfo:
    """An object as it was found. ``version_id`` is None in a bucket without versions; then ``etag`` pins it."""

    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None


class ObjectSource(Protocol):
    """Objects. Methods, and the streams that they give, raise ``TransientError`` when a later try may work."""

    def find(self, bucket: str, key: str) -> ObjectInfo:
        """What is there now. Raises ``ObjectMissing`` or ``BucketMissing``."""
        ...

    def open(self, info: ObjectInfo) -> BinaryIO:
        """That very content, as a stream to be closed.

        Raises:
            ObjectChanged: it is not there any more.
        """
        ...

    def read_range(self, info: ObjectInfo, start: int, length: int) -> bytes:
        """At most ``length`` bytes (at least 1) of that very content from ``start``; fewer only at its end.

        Raises:
            ObjectChanged: it is not there any more.
        """
        ...
