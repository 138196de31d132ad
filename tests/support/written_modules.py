"""Modules that a test writes, to be found by their names and forgotten afterwards."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: Name and text to the name.
WriteModule = Callable[[str, str], str]


@contextmanager
def written_modules(folder: Path, monkeypatch: pytest.MonkeyPatch, header: str) -> Iterator[WriteModule]:
    """Each begins with ``header``."""
    monkeypatch.syspath_prepend(str(folder))
    names: list[str] = []

    def write(name: str, text: str) -> str:
        (folder / f"{name}.py").write_text(header + text)
        names.append(name)
        return name

    yield write
    for name in names:
        sys.modules.pop(name, None)
