"""Objects that are written and can be read as files, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from handlers.objects.memory import MemoryObjects, MemorySource


class SharedObjects(MemoryObjects):
    """What ``write`` stores stands in ``source`` as well."""

    def __init__(self, bucket: str, source: MemorySource) -> None:
        super().__init__(bucket)
        self._source = source

    def write(self, key: str, blocks: Iterable[bytes], **options: Any) -> int:
        size = super().write(key, blocks, **options)
        self._source.put(self.bucket, key, self.contents[key])
        return size
