"""Which unit tests run which lines of ``handlers/``: measured once per test file, kept in ``.local/mutation``.

A test file is measured anew when it changes. When only the source changes, its lines are found again by comparing it
with the text that was measured; a changed line counts as covered by whoever ran its neighbours. A map that is somewhat
out of date costs time, never a verdict: what its tests don't catch is tried with the whole file's, and wider ones.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.mutation.collecting import MAP_FILE

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".local" / "mutation"


@dataclass(frozen=True, slots=True)
class Coverage:
    """``seconds`` of each test; ``tests`` by file and line of the source as it is now."""

    seconds: Mapping[str, float]
    tests: Mapping[str, Mapping[int, frozenset[str]]]

    def of_lines(self, file: str, lines: Iterable[int]) -> set[str]:
        """The tests that run one of these lines."""
        by_line = self.tests.get(file, {})
        return {test for line in lines for test in by_line.get(line, ())}

    def of_file(self, file: str) -> set[str]:
        """The tests that run any line of the file."""
        return {test for tests in self.tests.get(file, {}).values() for test in tests}


def groups() -> list[list[str]]:
    """The test files that are measured together: a folder of unit tests each."""
    unit = ROOT / "tests" / "unit" / "handlers"
    folders = [_test_files(path) for path in (unit, *sorted(unit.iterdir())) if path.is_dir()]
    return [names for names in folders if names]


def _test_files(folder: Path) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in sorted(folder.glob("test_*.py"))]


def measured() -> Coverage:
    """The map of all test files; those that are missing or out of date are measured first, which takes minutes."""
    KEPT.mkdir(parents=True, exist_ok=True)
    seconds: dict[str, float] = {}
    tests: dict[str, dict[int, set[str]]] = {}
    for group in groups():
        missing = [name for name in group if not _kept(name).exists()]
        if missing:
            _measure(missing)
        for name in group:
            _add(json.loads(_kept(name).read_text(encoding="utf-8")), seconds, tests)
    frozen = {file: {line: frozenset(names) for line, names in lines.items()} for file, lines in tests.items()}
    return Coverage(seconds, frozen)


def _kept(name: str) -> Path:
    return KEPT / "map" / f"{_digest(name)}.json"


def _measure(names: Sequence[str]) -> None:
    print(f"measuring which lines {names[0]} and {len(names) - 1} more run", flush=True)
    kept = {name: _kept(name) for name in names}  # as they are now: who edits one meanwhile has it measured again
    written = KEPT / f"{os.getpid()}.part"
    command = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", "-p", "tests.mutation.collecting", *names]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, MAP_FILE: str(written)}, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{', '.join(names)} must pass before anything is broken:\n{done.stdout[-3000:]}")
    content = json.loads(written.read_text(encoding="utf-8"))
    written.unlink()
    sources = {file: _keep_source(ROOT / file) for file in content["lines"]}
    (KEPT / "map").mkdir(exist_ok=True)
    for name in names:
        own = [index for index, (test, _) in enumerate(content["tests"]) if test.startswith(f"{name}::")]
        number = {index: place for place, index in enumerate(own)}
        lines = {
            file: {line: [number[one] for one in indices if one in number] for line, indices in by_line.items()}
            for file, by_line in content["lines"].items()
        }
        part = {"tests": [content["tests"][index] for index in own], "lines": lines, "sources": sources}
        kept[name].write_text(json.dumps(part), encoding="utf-8")


def _keep_source(path: Path) -> str:
    """Keep the text that was measured. Returns its name."""
    content = path.read_bytes()
    kept = KEPT / "sources" / hashlib.sha256(content).hexdigest()
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(content)
    return kept.name


def _add(content: dict[str, Any], seconds: dict[str, float], tests: dict[str, dict[int, set[str]]]) -> None:
    ids = [name for name, _ in content["tests"]]
    seconds.update(dict(content["tests"]))
    for file, lines in content["lines"].items():
        path = ROOT / file
        if not path.exists():
            continue
        old = (KEPT / "sources" / content["sources"][file]).read_text(encoding="utf-8")
        now = moved(old, path.read_text(encoding="utf-8"))
        known = tests.setdefault(file, {})
        for line, indices in lines.items():
            if indices:
                for new in now.get(int(line), ()):
                    known.setdefault(new, set()).update(ids[index] for index in indices)


def moved(old: str, new: str) -> dict[int, Sequence[int]]:
    """Where each line of an old text is in the new one; a changed block is all of its new lines, with their edges."""
    if old == new:
        return {line: (line,) for line in range(1, old.count("\n") + 2)}
    found: dict[int, Sequence[int]] = {}
    matcher = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    for kind, a, a_end, b, b_end in matcher.get_opcodes():
        if kind == "equal":
            found.update({a + step + 1: (b + step + 1,) for step in range(a_end - a)})
        elif kind == "replace":
            found.update({line + 1: range(b + 1, b_end + 1) for line in range(a, a_end)})
        elif kind == "insert" and a > 0:
            found[a] = (*found.get(a, ()), *range(b + 1, b_end + 1))
    return found


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode() + (ROOT / name).read_bytes()).hexdigest()[:20]
