"""Keys of the simulation's few commands, parsed once."""

from __future__ import annotations

from functools import lru_cache

from handlers.commands.keys import VersionKey


@lru_cache(maxsize=100_000)
def version_key(pk: str, sk: str) -> VersionKey:
    """``VersionKey.parse``, remembered."""
    return VersionKey.parse(pk, sk)
