"""IMP-01: the airports file, imported: every row becomes a command, and the counters are the file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from handlers.commands.keys import EntityKey
from handlers.store.port import COMMANDS, DATA, Item
from local.runtime import PROJECT_DIR
from tests.modules.airports import TYPE
from tests.support.imports import DeployedImports

AIRPORTS = PROJECT_DIR / "data" / "airports.csv"
#: ``data/README.md`` of the file: 28,298 rows, 13 of them with an ``icao`` that starts with ``_``.
ROWS, INVALID = 28_298, 13
SOME_VALID = 40
#: The airports' strategy for rows that are applied at once; the read model is then their only target.
SYNC = '''"""Airports, published synchronously."""

from handlers.domain.airports import COLUMNS, AirportImport
from handlers.imports.strategy import import_strategy


@import_strategy("airports", columns=COLUMNS, key=("icao",), publish="SYNC")
class SyncAirports(AirportImport):
    """As the airports'."""
'''


def rows_of(content: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content, newline="")))


def some() -> str:
    """The invalid rows and some others, in the file's order."""
    header, *lines = AIRPORTS.read_text(encoding="utf-8").splitlines(keepends=True)
    every = len(lines) // SOME_VALID
    return "".join([header, *(one for number, one in enumerate(lines) if number % every == 0 or one.startswith('"_'))])


def whole() -> str:
    return AIRPORTS.read_text(encoding="utf-8")


def all_items(deployed: DeployedImports, table: str, sk_prefix: str = f"{TYPE}#") -> Iterator[Item]:
    start: Item | None = None
    while True:
        page = deployed.store.scan(table, start=start)
        yield from (item for item in page.items if item["pk"] == "TENANT#t1" and item["sk"].startswith(sk_prefix))
        start = page.next_key
        if start is None:
            return


@pytest.mark.parametrize(
    ("content", "mode", "publish"),
    [
        pytest.param(some, "DIRECT", "ASYNC", id="some-direct"),
        pytest.param(some, "STEP_FUNCTION", "ASYNC", id="some-machine"),
        pytest.param(some, "STEP_FUNCTION", "SYNC", id="some-sync"),
        pytest.param(whole, None, "SYNC", id="whole", marks=pytest.mark.slow),
    ],
)
def test_imp_01_every_row_becomes_a_command(tmp_path: Path, content: object, mode: str | None, publish: str) -> None:
    assert callable(content)
    text = content()
    rows = rows_of(text)
    valid = {row["icao"]: row for row in rows if not row["icao"].startswith("_")}
    assert len(rows) == len(valid) + INVALID
    assert content is some or len(rows) == ROWS
    module, extra = ("sync_airports", {"sync_airports.py": SYNC}) if publish == "SYNC" else ("airports", None)
    config = {"handlerModules": f'["handlers.domain.{module}"]'}
    if content is whole:
        config |= {"statusDetail": "terminal", "commandWorkflow": "EXPRESS"}  # it takes minutes otherwise
    with DeployedImports(tmp_path, recording=False, extra=extra, config=config) as deployed:
        job = deployed.import_file(text.encode(), mode=mode)
        assert job.mode == (mode or "STEP_FUNCTION")
        assert (job.status, job.error and job.error["type"]) == ("FAILED", "RowsFailed")
        counts = job.counts
        assert (counts.total, counts.applied, counts.failed) == (len(rows), len(valid), INVALID)
        assert (counts.unchanged, counts.superseded, counts.cancelled) == (0, 0, 0)

        reported = {(int(row["row"]), row["icao"], row["code"]) for row in rows_of(deployed.report(job))}
        expected = {(n, row["icao"], "InvalidValue") for n, row in enumerate(rows, 1) if row["icao"].startswith("_")}
        assert reported == expected

        commands = {one["code"]: one for one in all_items(deployed, COMMANDS)}
        assert {code: one["name"] for code, one in commands.items()} == {
            code: row["name"] for code, row in valid.items()
        }
        assert {(one["version"], one["status"]) for one in commands.values()} == {(1, "finish:FINISHED")}
        applied = {one["code"]: one for one in all_items(deployed, DATA)}
        assert applied.keys() == valid.keys()
        assert all(one["version"] == 1 for one in applied.values())
        first = EntityKey("TENANT", "t1", TYPE, rows[0]["icao"])
        assert deployed.data(first)["attributes"]["tz"] == rows[0]["tz"]
        assert [alarm["id"] for alarm in deployed.alarms()] == [job.id]
