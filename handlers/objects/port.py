"""The object port: one bound bucket, whole objects of bounded size, and large ones written as a stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

JSON = "application/json"


class Objects(Protocol):
    """One bucket. Methods raise ``TransientError`` if a retry may work."""

    @property
    def bucket(self) -> str:
        """The bucket's name, as stored in pointers."""
        ...

    def put(self, key: str, body: bytes, *, content_type: str = JSON) -> None:
        """Write a whole object. Writing the same again is invisible to readers."""
        ...

    def write(self, key: str, blocks: Iterable[bytes], *, content_type: str = JSON) -> int:
        """Write an object of any size in bounded memory; returns its number of bytes.

        It becomes visible once it is complete. If ``blocks`` raises, nothing is written.
        """
        ...

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """Read a whole object. Raises ``ObjectMissing``, or ``ObjectTooLarge`` before it is read."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; without effect when there is none."""
        ...
