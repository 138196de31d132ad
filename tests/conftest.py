"""Speed only: botocore reads its service descriptions from files for every session, here once per process."""

from __future__ import annotations

from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader

_read = JSONFileLoader.load_file


@cache
def _read_once(path: str) -> Any:
    return _read(JSONFileLoader(), path)


JSONFileLoader.load_file = lambda self, file_path: _read_once(file_path)  # type: ignore[method-assign]
