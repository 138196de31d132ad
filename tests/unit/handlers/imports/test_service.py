"""What callers are told of their imports: page by page, the latest first."""

from __future__ import annotations

from handlers.core.context import InvokeContext
from handlers.imports.service import ImportService
from handlers.store.memory import MemoryTableStore
from tests.support.clock import ManualClock

CONTEXT = InvokeContext("u1", "t1", "10.0.0.1")


def test_jobs_are_listed_page_by_page_the_latest_first() -> None:
    clock = ManualClock()
    service = ImportService(MemoryTableStore(), clock, ["airports"], ["files"])
    made = []
    for number in range(5):
        made.append(service.create_csv_import("airports", "files", f"{number}.csv", CONTEXT).id)
        service.create_zip_import("files", f"{number}.zip", CONTEXT)
        clock.advance(1)
    listed: list[str] = []
    while page := service.list_imports(CONTEXT, limit=2, after=listed[-1] if listed else None):
        listed += [job.id for job in page]
        assert len(listed) <= len(made), "a page came again"
    assert listed == made[::-1]
