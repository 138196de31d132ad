"""Verdicts of earlier runs, so that a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json

from tests.mutation.line_map import KEPT, ROOT
from tests.mutation.mutants import Mutant
from tests.mutation.trials import Verdict


class KeptVerdicts:
    """Catches, each for as long as the mutated file and the test file that caught it are the same."""

    def __init__(self) -> None:
        self._path = KEPT / "verdicts.jsonl"
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        self._known = {one["mutant"]: one for one in map(json.loads, lines)}

    def of(self, mutant: Mutant) -> Verdict | None:
        """What is known of a mutant, None if it has to be tried out."""
        found = self._known.get(_digest(mutant.file, mutant.source))
        if found is None or found["test"] != _test(found["by"]):
            return None
        return Verdict(mutant, found["by"], found["seconds"])

    def add(self, verdict: Verdict) -> None:
        """Keep a catch."""
        if not verdict.caught:
            return
        entry = {
            "mutant": _digest(verdict.mutant.file, verdict.mutant.source),
            "by": verdict.by,
            "test": _test(verdict.by),
            "seconds": verdict.seconds,
        }
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(entry)}\n")


def _test(by: str) -> str:
    """The test file's content by name; a mutant that didn't end was caught by none."""
    path = ROOT / by.split("::", 1)[0]
    return _digest(path.read_text(encoding="utf-8")) if path.is_file() else ""


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
