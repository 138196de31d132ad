"""Reads an archive in a bucket by ranges, with read-ahead, since ``zipfile`` reads little at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.objects.source import ObjectInfo, ObjectSource

#: Bytes per request to S3: a large entry takes few requests, and only this much is kept in memory.
AHEAD_BYTES = 8 * 1024 * 1024


class ObjectRanges:
    """See ``Ranges``. ``requests``: number of requests made."""

    def __init__(self, source: ObjectSource, info: ObjectInfo, *, ahead: int = AHEAD_BYTES) -> None:
        self._source = source
        self._info = info
        self._ahead = ahead
        self._start = 0
        self._window = b""
        self.requests = 0

    @property
    def size(self) -> int:
        """See Ranges."""
        return self._info.size

    def read(self, start: int, length: int) -> bytes:
        """See Ranges. Raises ``ObjectChanged``, ``TransientError``."""
        offset = start - self._start
        if offset < 0 or offset + length > len(self._window):
            self._window = self._source.read_range(self._info, start, max(length, self._ahead))
            self._start, offset = start, 0
            self.requests += 1
        return self._window[offset : offset + length]
