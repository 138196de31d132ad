"""What imports must not show: values of rows in logs, and files of other tenants."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from handlers.core.log import LOGGER_NAME, JsonFormatter
from handlers.imports.errors import WRONG_PLACE, ImportRefused
from handlers.imports.jobs.job_file import JobFiles, check_place
from handlers.imports.jobs.model import STEP_FUNCTION
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.keys import ImportJobKey
from tests.support.import_world import BUCKET, CONTEXT, MAX_RECEIVES, ImportWorld
from tests.unit.handlers.imports.test_route import airports

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SECRET = "Jane Doe, 4 Elm Street"


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(JsonFormatter().format(record))


def _raises(row: Any) -> Any:
    raise RuntimeError(f"no answer about {row['name']!r}")


@pytest.mark.parametrize("mode", ["DIRECT", STEP_FUNCTION])
def test_no_value_of_a_row_is_logged_when_a_strategy_raises(mode: str) -> None:
    seen, logger = _Lines(), logging.getLogger(LOGGER_NAME)
    logger.addHandler(seen)
    try:
        world = ImportWorld(mode=mode)
        world.worker._tables.of("airports").strategy.map = _raises  # type: ignore[method-assign]
        world.put(airports(f'"{SECRET}"'))
        job = world.service.create_csv_import("airports", BUCKET, "a.csv", CONTEXT, mode=mode)
        while world.pending:
            _, deliver = world.pending.pop(0)
            assert any(deliver(number) for number in range(1, MAX_RECEIVES + 1))
    finally:
        logger.removeHandler(seen)
    assert world.job(job).counts.failed == 1
    told = [json.loads(line) for line in seen.lines if "RuntimeError" in line]
    assert {line["message"] for line in told} >= {"import message failed", "row failed"}
    assert all(line["raisedAt"][-1].endswith(" _raises") for line in told)
    assert [line for line in seen.lines if SECRET in line or "Elm" in line] == []


@pytest.mark.parametrize("key", ["zip/t2/01ABC/1/0000.csv", "normalised/t2/01ABC/1.csv", "reports/t2/x.csv", "a.csv"])
def test_files_of_the_stacks_bucket_lie_where_people_put_them(key: str) -> None:
    world = ImportWorld()
    world.source.put(BUCKET, key, airports("a"))
    files = JobFiles(ImportRepository(world.store, world.clock), world.source, own_bucket=BUCKET)
    job = {"bucket": BUCKET, "key": key, "attempt": 1}
    with pytest.raises(ImportRefused, match="files in bucket files lie under imports/") as refused:
        files.pinned(ImportJobKey("CSV_IMPORT", "t1", "airports", ULID), job)
    assert refused.value.code == WRONG_PLACE
    assert world.gate.calls == []
    check_place({**job, "parent": "ZIP_IMPORT#t1#ZIP#01ABC"}, BUCKET)
    check_place(job, "another")
    check_place({**job, "key": "imports/a.csv"}, BUCKET)
