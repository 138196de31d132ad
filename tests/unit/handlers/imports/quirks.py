"""The awkward files of ``tests/fixtures/quirks``, and what reading one comes to."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from handlers.imports.files.csv_reader import row_of
from handlers.imports.files.inspection import Inspection, inspect, records_of
from handlers.imports.files.layout import Layout
from handlers.imports.files.records import Record
from handlers.imports.rows.preparation import Prepared, prepare
from handlers.imports.strategy import load_import_tables

QUIRKS = Path(__file__).parents[3] / "fixtures" / "quirks"
EXPECTED: dict[str, dict[str, Any]] = json.loads((QUIRKS / "expected.json").read_text(encoding="utf-8"))
AIRPORTS = load_import_tables(["tests.modules.airports"], {"store": None, "clock": None}).of("airports")


@dataclass
class Outcome:
    """``rows``: the number of each row to what became of it."""

    inspection: Inspection
    records: list[Record] = field(default_factory=list)
    superseded: dict[int, int] = field(default_factory=dict)
    prepared: dict[int, Prepared] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)

    @property
    def invalid(self) -> list[int]:
        return sorted(self.problems)

    def row(self, number: int) -> dict[str, str]:
        return dict(self.prepared[number].row)


def bytes_of(content: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(content)


def read(content: bytes, layout: Layout = AIRPORTS.layout, **options: Any) -> Outcome:
    """Look at a file and prepare its rows, as the loader and the row handler do."""
    limits = options.get("limits")
    found = inspect(bytes_of(content), layout, **{"versioned": True, **options})
    outcome = Outcome(found)
    for record, winner in records_of(bytes_of(content), layout, found, limits=limits):
        outcome.records.append(record)
        problem = record.problem
        if problem is None:
            one = prepare(row_of(found.header, record.values, layout), AIRPORTS.strategy)
            outcome.prepared[record.number] = one
            problem = one.problem
        if winner is not None:
            outcome.superseded[record.number] = winner + 1
        if problem is not None:
            outcome.problems[record.number] = f"{problem.code}: {problem.message}"
    assert [one.index for one in outcome.records] == list(range(found.rows))
    return outcome


def quirk(name: str, **options: Any) -> Outcome:
    return read((QUIRKS / name).read_bytes(), **options)
