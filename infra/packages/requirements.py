"""The application's requirements: names with versions, nothing that could be another thing tomorrow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.packaging import PackagingError

#: Where they are.
FILE = "handlers/requirements.txt"
_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[A-Za-z0-9._, -]+\])?==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)"
    r"(\s*;[^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})*"
)


@dataclass(frozen=True)
class Pin:
    """A package of a version; ``line`` as it is written."""

    name: str
    version: str
    line: str

    @property
    def key(self) -> str:
        """The name as it is compared (PyPA, "Names and normalization")."""
        return normal(self.name)


def normal(name: str) -> str:
    """The form in which names are compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def application_pins(root: Path) -> list[Pin]:
    """What the file of a repository lists; nothing where there is no file.

    Raises:
        PackagingError: a line that pins nothing, or the same name twice.
    """
    path = root / FILE
    return parse(path.read_text(encoding="utf-8")) if path.is_file() else []


def parse(text: str) -> list[Pin]:
    """The pins of a file's text. Raises PackagingError, naming the line."""
    pins: list[Pin] = []
    for number, raw in enumerate(_lines(text), start=1):
        line = re.sub(r"(^|\s)#.*", "", raw).strip()
        if not line:
            continue
        match = _PIN.fullmatch(line)
        if match is None:
            raise PackagingError(f"{FILE}: line {number}: {line!r} is not allowed; expected a version: name==1.2.3")
        pin = Pin(match["name"], match["version"], line)
        if any(one.key == pin.key for one in pins):
            raise PackagingError(f"{FILE}: line {number}: {pin.name} is listed twice")
        pins.append(pin)
    return pins


def _lines(text: str) -> Sequence[str]:
    return text.replace("\\\n", " ").split("\n")
