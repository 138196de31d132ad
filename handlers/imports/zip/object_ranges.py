"""An archive in a bucket, read by ranges: ahead, since ``zipfile`` asks for little at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handlers.objects.source import ObjectInfo, ObjectSource

#: One request to S3 for so much: a large entry is read in few, and this is all that is kept.
AHEAD_BYTES = 8 * 1024 * 1024


class ObjectRanges:
    """See ``Ranges``. ``requests``: how often the object was asked."""

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
