"""The part of the stack's bucket that is the application's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from contract.objects import APPLICATION
from handlers.core.errors import ValidationError
from handlers.core.values.arguments import instance
from handlers.objects.port import JSON

if TYPE_CHECKING:
    from handlers.objects.port import Objects


class ApplicationObjects:
    """See ``Objects``: keys below ``application/``, the only ones that the functions' roles allow for applications."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    @property
    def bucket(self) -> str:
        """See Objects."""
        return self._objects.bucket

    def put(self, key: str, body: bytes, *, content_type: str = JSON) -> None:
        """See Objects. Raises ValidationError for a key that is not the application's."""
        self._objects.put(_own(key), body, content_type=content_type)

    def write(self, key: str, blocks: Iterable[bytes], *, content_type: str = JSON) -> int:
        """See Objects. Raises ValidationError for a key that is not the application's."""
        return self._objects.write(_own(key), blocks, content_type=content_type)

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """See Objects. Raises ValidationError for a key that is not the application's."""
        return self._objects.get(_own(key), max_bytes=max_bytes)

    def delete(self, key: str) -> None:
        """See Objects. Raises ValidationError for a key that is not the application's."""
        self._objects.delete(_own(key))


def _own(key: str) -> str:
    if not instance("key", key, str).startswith(APPLICATION) or key == APPLICATION:
        raise ValidationError("key", key, f"a key that begins with {APPLICATION}")
    return key
