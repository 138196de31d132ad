"""Reading CSV files: rows per second and peak memory of the loader's pass over a file, and of the work per row.

Each figure is measured in a separate process, so that the peak memory is that of one file.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from cli.output import table
from cli.samples.modules import AIRPORTS, sample
from handlers.core.clock import SystemClock
from handlers.core.values.ulids import ULID_RANDOM_BYTES, ulid
from handlers.imports.csv.rows_handler import RowsHandler
from handlers.imports.files.csv_reader import row_of
from handlers.imports.files.inspection import inspect, records_of
from handlers.imports.files.normalized_copy import normalised
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.keys import CSV_IMPORT_KIND, ImportJobKey
from handlers.imports.rows.preparation import prepare
from handlers.imports.rows.row_batches import RowBatches, writes_of
from handlers.imports.strategy import ImportTables, Table, load_import_tables
from handlers.store.memory import MemoryTableStore

SIZES = (10_000, 100_000, 1_000_000)
PREPARED_ROWS = 50_000
#: The default of ``importBatchRows``.
BATCH_ROWS = 10
WHO = "./cqrs bench csv"


@cache
def airports() -> Table:
    """The sample's table. Raises CommandError: it was removed."""
    sample(AIRPORTS, WHO)
    return load_import_tables([AIRPORTS], {"store": None, "clock": None}).of("airports")


def generate(path: Path, rows: int) -> None:
    """Write a file with about 100 bytes per row and distinct keys."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f"{','.join(sample(AIRPORTS, WHO).COLUMNS)}\n")
        for number in range(rows):
            file.write(
                f'A{number:07d},"XYZ","Airport of Nowhere {number}","City {number % 977}","Shizuoka 静岡","JP",'
                f'{number % 4000},{number % 90}.1234,-{number % 180}.98765,"Asia/Tokyo",""\n'
            )


def look(path: Path) -> dict[str, Any]:
    """The loader's pass over a file that needs no rewriting."""
    begin = time.process_time()
    found = inspect(opener(path), airports().layout, versioned=True)
    seconds = time.process_time() - begin
    assert found.is_direct, found.reasons
    return _figures(found.rows, found.bytes, seconds)


def rewrite(path: Path) -> dict[str, Any]:
    """The same pass, and writing the normalised copy."""
    begin = time.process_time()
    found = inspect(opener(path), airports().layout, versioned=False)
    records = (record for record, _ in records_of(opener(path), airports().layout, found))
    size = sum(map(len, normalised(found.header, records)))
    seconds = time.process_time() - begin
    assert size > found.rows
    return _figures(found.rows, found.bytes, seconds)


def prepare_rows(path: Path) -> dict[str, Any]:
    """The work per row in ``csv_rows_handler``, without I/O."""
    found = inspect(opener(path), airports().layout, versioned=True)
    records = [record for record, _ in records_of(opener(path), airports().layout, found)]
    rows = [row_of(found.header, record.values, airports().layout) for record in records]
    strategy = airports().strategy
    begin = time.process_time()
    problems = sum(prepare(row, strategy).problem is not None for row in rows)
    seconds = time.process_time() - begin
    assert problems == 0
    return _figures(len(rows), found.bytes, seconds)


def handle_batches(path: Path) -> dict[str, Any]:
    """``csv_rows_handler`` on the Map's batches, without I/O: its work between the read and the transaction."""
    found = inspect(opener(path), airports().layout, versioned=True)
    records = [record for record, _ in records_of(opener(path), airports().layout, found)]
    rows = [{"index": one.index, "row": dict(zip(found.header, one.values, strict=True))} for one in records]
    import_repository = ImportRepository(MemoryTableStore(), SystemClock())
    handler = RowsHandler(import_repository, RowBatches(import_repository), ImportTables({"airports": airports()}))
    run = JobRun(ImportJobKey(CSV_IMPORT_KIND, "t1", "airports", ulid(0, bytes(ULID_RANDOM_BYTES))), 1)
    job = {"id": run.key.id, "key": "a.csv", "tableName": "airports", "tenantCode": "t1", "createdBy": "u1"}
    begin = time.process_time()
    written = sum(
        len(writes_of(handler.rows(run, job, rows[start : start + BATCH_ROWS])))
        for start in range(0, len(rows), BATCH_ROWS)
    )
    seconds = time.process_time() - begin
    assert written == len(rows), "some rows had a problem"
    return _figures(len(rows), found.bytes, seconds)


WORK = {
    "look": "the loader's pass over a file",
    "rewrite": "the pass and a normalised copy",
    "prepare": "a row: transform, validate, map",
    "batches": "csv_rows_handler, without I/O",
}
KINDS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "look": look,
    "rewrite": rewrite,
    "prepare": prepare_rows,
    "batches": handle_batches,
}


def measured(kind: str, rows: int, folder: Path) -> dict[str, Any]:
    """The figures of one kind of work, measured in a new process."""
    path = folder / f"{rows}.csv"
    if not path.exists():
        generate(path, rows)
    command = [sys.executable, "-m", "bench.csv_reading", kind, str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def figures() -> tuple[object, str]:
    """All measurements, as data and as a table."""
    wanted = [(kind, rows) for kind in ("look", "rewrite") for rows in SIZES]
    wanted += [(kind, PREPARED_ROWS) for kind in ("prepare", "batches")]
    with tempfile.TemporaryDirectory() as folder:
        found = [{"work": kind, **measured(kind, rows, Path(folder))} for kind, rows in wanted]
    return found, text(found)


def text(found: Sequence[dict[str, Any]]) -> str:
    """The measurements as a table."""
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
    """Opens the file as the loader opens one in the bucket: without Python's buffering."""
    return lambda: io.FileIO(path)


def _figures(rows: int, size: int, seconds: float) -> dict[str, Any]:
    return {"rows": rows, "bytes": size, "seconds": seconds, "peakBytes": _peak_bytes()}


def _peak_bytes() -> int:
    """Of this program only; ``getrusage`` includes the process that started it (proc(5), VmHWM)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(KINDS[sys.argv[1]](Path(sys.argv[2]))))
