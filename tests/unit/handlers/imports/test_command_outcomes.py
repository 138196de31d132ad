"""The reader of the commands stream that ends rows, and how long what an import leaves in its table is kept."""

from __future__ import annotations

from typing import Any

from handlers.core.errors import TransientThrottle
from handlers.imports.jobs import status
from handlers.imports.jobs.repository import ROW_DAYS, ImportRepository
from handlers.imports.keys import ImportRowKey
from handlers.imports.rows.command_outcomes import CommandOutcomes
from handlers.store.port import IMPORT_TMP, Item
from handlers.store.values import item_to_dynamo
from tests.support.import_world import CONTEXT, ImportWorld
from tests.unit.handlers.imports.test_route import MODES, airports


class Refusing(ImportRepository):
    """Throttled for the row of this number."""

    refused = 2

    def row(self, key: ImportRowKey) -> Item | None:
        if key.index == self.refused - 1:
            raise TransientThrottle("busy")
        return super().row(key)


def finished(command: Item) -> dict[str, Any]:
    image = {**command, "status": "finish:FINISHED"}
    return {"eventName": "MODIFY", "dynamodb": {"NewImage": item_to_dynamo(image)}}


def test_one_record_that_fails_holds_back_no_other_of_its_batch() -> None:
    world = ImportWorld()
    world.put(airports("a", "b", "c"))
    world.service.create_csv_import("airports", "files", "a.csv", CONTEXT)
    world.lost = lambda name, number: name == "pipeline"
    world.run()
    by_request = sorted(world.commands(), key=lambda one: str(one["requestId"]))
    poison = {"eventName": "MODIFY", "dynamodb": {"NewImage": {"source": {"??": "import"}}}}
    reader = CommandOutcomes(Refusing(world.memory, world.clock))
    failed = reader.on_stream_records([poison, *map(finished, by_request)])
    assert sorted(failed) == [0, 2]
    assert isinstance(failed[2], TransientThrottle)
    assert [row["status"] for row in world.rows()] == [status.COMPLETED, status.PROCESSING, status.COMPLETED]


def test_all_rows_of_an_import_are_kept_for_the_same_days() -> None:
    for mode in MODES:
        world = ImportWorld(mode=mode)
        begun = int(world.clock.now())
        world.import_file(airports("a", "!"))
        kept = {row["kind"]: row["ttl"] - begun for row in world.memory.scan(IMPORT_TMP).items}
        assert set(kept) == {status.JOB, status.ROW, status.COUNTERS}
        assert {seconds // 86_400 for seconds in kept.values()} == {ROW_DAYS}, kept
