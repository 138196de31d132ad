"""Adds bytecode to the functions' sources if the deploying Python has the same minor version as their runtime.

``/var/task`` is read-only, so without bytecode Lambda compiles every module at each cold start, which takes longer than
everything else our modules do then (decision record 0220). Python compares the magic number of a bytecode file with its
own and falls back to the source if they differ (PEP 3147), so a file of another version does no harm. The files are of
the unchecked kind (PEP 552): archives store no modification times, and sources in an archive are never edited.
"""

from __future__ import annotations

import hashlib
import importlib.util
import marshal
import os
import sys
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath
from types import CodeType

from infra.definitions.sources import REMEMBERED, code_of

#: Where the files are kept until they are packed, relative to the repository; named after the hash of their content.
FOLDER = Path(".local", "bytecode")
#: PEP 552: bit 0: a hash of the source follows; bit 1: check it.
UNCHECKED_HASH = (0b01).to_bytes(4, "little")
#: From version 3 on, equal code can give different bytes: whether an object is marked for reuse depends on how many
#: references to it the process happens to hold (CPython issue 78274).
REPEATABLE = 2


def is_for(runtime: str) -> bool:
    """Whether the running Python's bytecode fits a function's runtime (``python3.13``)."""
    return runtime == f"python{sys.version_info.major}.{sys.version_info.minor}"


def with_bytecode(
    members: Mapping[str, Path], folder: Path, dumps: Callable[[CodeType, int], bytes] = marshal.dumps
) -> dict[str, Path]:
    """The members, each source followed by its bytecode file, which is written to ``folder`` if it doesn't exist.

    A source whose code can't be marshalled reproducibly gets none (constants new in Python 3.14, such as slices).

    Raises:
        OSError: writing to ``folder`` failed.
    """
    found = dict(members)
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in members.items():
        content = _bytecode(name, path.read_bytes(), dumps) if name.endswith(".py") else None
        if content is not None:
            found[_cached(name)] = _written(content, folder)
    return dict(sorted(found.items()))


def _cached(name: str) -> str:
    """``handlers/a.py`` -> ``handlers/__pycache__/a.cpython-313.pyc``."""
    path = PurePosixPath(name)
    return str(path.parent / "__pycache__" / f"{path.stem}.{sys.implementation.cache_tag}.pyc")


@lru_cache(REMEMBERED)
def _bytecode(name: str, source: bytes, dumps: Callable[[CodeType, int], bytes]) -> bytes | None:
    try:
        written = dumps(code_of(name, source), REPEATABLE)
    except ValueError:  # "unmarshallable object": this version of the format doesn't support its type
        return None
    return importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + importlib.util.source_hash(source) + written


def _written(content: bytes, folder: Path) -> Path:
    path = folder / f"{hashlib.sha256(content).hexdigest()}.pyc"
    if not path.is_file():
        unfinished = path.with_suffix(f".{os.getpid()}")  # two programs may be evaluated at once
        unfinished.write_bytes(content)
        unfinished.replace(path)
    return path
