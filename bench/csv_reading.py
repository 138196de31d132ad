"""Reading CSV files: rows per second and peak memory of the loader's look at a file, and of the work per row.

Each figure is that of a process of its own, so that the peak memory is that of one file.
"""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from handlers.domain.airports import AirportImport
from handlers.imports.inspection import inspect, records_of
from handlers.imports.normalise import normalised
from handlers.imports.rows import prepare, row_of
from handlers.imports.strategy import load_import_tables
from handlers.operations.cli.output import table

SIZES = (10_000, 100_000, 1_000_000)
PREPARED_ROWS = 50_000
TABLE = load_import_tables(["handlers.domain.airports"], {"store": None, "clock": None}).of("airports")
HEADER = ",".join(TABLE.layout.columns)


def generate(path: Path, rows: int) -> None:
    """A file of about 100 bytes a row, all keys different."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{HEADER}\n")
        for number in range(rows):
            file.write(
                f'A{number:07d},"XYZ","Airport of Nowhere {number}","City {number % 977}","Shizuoka 静岡","JP",'
                f'{number % 4000},{number % 90}.1234,-{number % 180}.98765,"Asia/Tokyo",""\n'
            )


def look(path: Path) -> dict[str, Any]:
    """The loader's pass over a file that needs no rewriting."""
    begin = time.process_time()
    found = inspect(opener(path), TABLE.layout, versioned=True)
    seconds = time.process_time() - begin
    assert found.is_direct, found.reasons
    return _figures(found.rows, found.bytes, seconds)


def rewrite(path: Path) -> dict[str, Any]:
    """The same and, as if it had to be, the normalised copy."""
    begin = time.process_time()
    found = inspect(opener(path), TABLE.layout, versioned=False)
    records = (record for record, _ in records_of(opener(path), TABLE.layout, found))
    size = sum(map(len, normalised(found.header, records)))
    seconds = time.process_time() - begin
    assert size > found.rows
    return _figures(found.rows, found.bytes, seconds)


def prepare_rows(path: Path) -> dict[str, Any]:
    """The work on a row in ``csv_rows_handler``, without I/O."""
    found = inspect(opener(path), TABLE.layout, versioned=True)
    records = [record for record, _ in records_of(opener(path), TABLE.layout, found)]
    rows = [row_of(found.header, record.values, TABLE.layout) for record in records]
    strategy = AirportImport()
    begin = time.process_time()
    problems = sum(prepare(row, strategy).problem is not None for row in rows)
    seconds = time.process_time() - begin
    assert problems == 0
    return _figures(len(rows), found.bytes, seconds)


WORK = {
    "look": "the loader's look at a file",
    "rewrite": "the look and a normalised copy",
    "prepare": "a row: transform, validate, map",
}
KINDS: dict[str, Callable[[Path], dict[str, Any]]] = {"look": look, "rewrite": rewrite, "prepare": prepare_rows}


def measured(kind: str, rows: int, folder: Path) -> dict[str, Any]:
    """The figures of one kind of work in a new process."""
    path = folder / f"{rows}.csv"
    if not path.exists():
        generate(path, rows)
    command = [sys.executable, "-m", "bench.csv_reading", kind, str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def figures() -> tuple[object, str]:
    """All measurements, for machines and as a table."""
    wanted = [*(("look", rows) for rows in SIZES), *(("rewrite", rows) for rows in SIZES), ("prepare", PREPARED_ROWS)]
    with tempfile.TemporaryDirectory() as folder:
        found = [{"work": kind, **measured(kind, rows, Path(folder))} for kind, rows in wanted]
    return found, text(found)


def text(found: Sequence[dict[str, Any]]) -> str:
    """For people."""
    rows = [
        (
            WORK[one["work"]],
            one["rows"],
            round(one["bytes"] / 1e6, 1),
            round(one["seconds"], 2),
            round(one["rows"] / one["seconds"]),
            round(one["peakBytes"] / 1e6),
        )
        for one in found
    ]
    return table(
        "CSV files, one core (CPU seconds; the peak is the whole process)",
        rows,
        header=("", "rows", "MB", "seconds", "rows/s", "peak MB"),
    )


def opener(path: Path) -> Callable[[], BinaryIO]:
    """As the loader gets it from the bucket: without a buffer of Python's."""
    return lambda: io.FileIO(path)


def _figures(rows: int, size: int, seconds: float) -> dict[str, Any]:
    # Linux counts in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"rows": rows, "bytes": size, "seconds": seconds, "peakBytes": peak}


if __name__ == "__main__":
    print(json.dumps(KINDS[sys.argv[1]](Path(sys.argv[2]))))
