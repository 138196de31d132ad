"""The application's requirements: packages with pinned versions, so that every installation is the same."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import InvalidMarker, Marker  # comes with pulumi

from infra.packaging import PackagingError

#: The file that lists them.
FILE = "handlers/requirements.txt"
_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[(?P<extras>[A-Za-z0-9._, -]+)\])?"
    r"==(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)(?P<marker>\s*;[^#]*?)?(?P<hashes>(\s+--hash=sha256:[0-9a-f]{64})*)"
)


@dataclass(frozen=True)
class Pin:
    """A package of one version. ``line``: as written; ``wanted``: without the marker, which pip would evaluate for the
    machine it runs on.
    """

    name: str
    version: str
    line: str
    wanted: str
    extras: frozenset[str] = frozenset()
    marker: Marker | None = None

    @property
    def key(self) -> str:
        """The normalised name (PyPA, "Names and normalization")."""
        return normal(self.name)


def normal(name: str) -> str:
    """The normalised form of a name, for comparisons."""
    return re.sub(r"[-_.]+", "-", name).lower()


def application_pins(root: Path) -> list[Pin]:
    """The pins in a repository's file; empty if there is no file.

    Raises:
        PackagingError: a line isn't a pin, or a name is listed twice.
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
        pin = _pin(match, line, number)
        # Two versions of a package may be for two environments; markers are evaluated later, for a target.
        if any(one.key == pin.key and None in (one.marker, pin.marker) for one in pins):
            raise PackagingError(f"{FILE}: line {number}: {pin.name} is listed twice")
        pins.append(pin)
    return pins


def _pin(match: re.Match[str], line: str, number: int) -> Pin:
    marker = (match["marker"] or "").strip().removeprefix(";").strip()
    extras = [normal(one.strip()) for one in (match["extras"] or "").split(",") if one.strip()]
    wanted = "".join([match["name"], f"[{','.join(extras)}]" if extras else "", f"=={match['version']}"])
    try:
        parsed = Marker(marker) if match["marker"] else None
    except InvalidMarker as error:
        reason = str(error).partition("\n")[0]
        raise PackagingError(f"{FILE}: line {number}: the marker {marker!r} is not allowed: {reason}") from error
    return Pin(match["name"], match["version"], line, f"{wanted}{match['hashes']}", frozenset(extras), parsed)


def _lines(text: str) -> Sequence[str]:
    return text.replace("\\\n", " ").split("\n")
