"""``equivalents.toml``: mutants that change nothing which anybody could see, each with the reason."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Mutant

LIST = Path(__file__).with_name("equivalents.toml")


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A mutant by its file, function and text before and after; ``why`` nobody could see it."""

    file: str
    function: str
    before: str
    after: str
    why: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """As ``Mutant.key``."""
        return self.file, self.function, self.before, self.after


def equivalents(path: Path = LIST) -> list[Equivalent]:
    """The list. Raises TypeError for an entry that lacks a field or has another one."""
    return [Equivalent(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])]


def stale(listed: Iterable[Equivalent], mutants: Iterable[Mutant]) -> list[Equivalent]:
    """Entries whose source has changed: nothing is left out because of them."""
    keys = {one.key for one in mutants}
    return [one for one in listed if one.key not in keys]
