"""The port through which a Distributed Map reads its items and writes its results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class ObjectError(Exception):
    """S3 returned an error; the text is its code and message."""


@dataclass(frozen=True)
class Pinned:
    """An object as of its first read. ``version`` None: the bucket isn't versioned, so ``etag``
    identifies it."""

    bucket: str
    key: str
    size: int
    etag: str
    version: str | None = None


class Objects(Protocol):
    """S3 as a machine uses it. ``caller`` is the machine's name: the calls need its role's permissions.

    Every method may block and raises ``ObjectError``.
    """

    def pin(self, caller: str, bucket: str, key: str, version: str | None = None) -> tuple[Pinned, bytes]:
        """An object, the latest or a given version, with its first bytes."""

    def read(self, caller: str, pinned: Pinned, start: int) -> bytes:
        """A piece of the same object from ``start`` on, of a length that the adapter chooses. Fails if it changed."""

    def write(self, caller: str, bucket: str, key: str, body: bytes) -> None:
        """Put an object."""


class NoObjects:
    """For runtimes without S3: rejects every access."""

    def pin(self, caller: str, bucket: str, key: str, version: str | None = None) -> tuple[Pinned, bytes]:
        """Refuse."""
        raise ObjectError("this runtime has no S3")

    def read(self, caller: str, pinned: Pinned, start: int) -> bytes:
        """Refuse."""
        raise ObjectError("this runtime has no S3")

    def write(self, caller: str, bucket: str, key: str, body: bytes) -> None:
        """Refuse."""
        raise ObjectError("this runtime has no S3")
