"""Speed only: botocore parses its service descriptions anew for every session; here once per process.

Each caller gets a copy of its own, since moto changes the descriptions that it loads.
"""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

from botocore.loaders import JSONFileLoader

_read = JSONFileLoader.load_file


@cache
def _pickled(path: str) -> bytes:
    return pickle.dumps(_read(JSONFileLoader(), path), pickle.HIGHEST_PROTOCOL)


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    return pickle.loads(_pickled(file_path))


JSONFileLoader.load_file = _load_file  # type: ignore[method-assign]
