"""Tables that publish synchronously: the route's scenarios again, in one transaction a row, and with other targets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from handlers.commands.attributes import AttributeStore
from handlers.commands.model import Command
from handlers.commands.publishing.publisher import CommandPublisher
from handlers.core.context import InvokeContext
from handlers.core.errors import TransientThrottle
from handlers.imports.files.layout import SYNC
from handlers.imports.jobs import status
from handlers.imports.jobs.model import ImportJob
from handlers.objects.memory import MemoryObjects
from handlers.store.port import COMMANDS, DATA, HISTORY, Change, Item
from tests.modules.airports import TYPE, airport_input
from tests.simulation.watcher import PIPELINE_FIELDS
from tests.support.gate import AFTER, BEFORE, Gate
from tests.support.import_world import CONTEXT, ImportWorld
from tests.support.parts import IN_PARTS, part_of
from tests.unit.handlers.imports.test_cancel import check_end, created
from tests.unit.handlers.imports.test_route import FILE, airports, report

#: Messages that the queue delivers one by one, and together.
BATCHES = pytest.mark.parametrize("batch", [1, 4], ids=["alone", "together"])


class Target:
    """A sync handler that keeps what it was given."""

    def __init__(self) -> None:
        self.got: list[tuple[str, int]] = []
        self.fails: dict[str, Exception] = {}

    def up(self, command: Command) -> None:
        if command.code in self.fails:
            raise self.fails[command.code]
        self.got.append((command.code, command.version))


def world_of(target: Target | None = None, gate: Gate | None = None, **options: Any) -> ImportWorld:
    handlers = None if target is None else {"card": (TYPE, target)}
    return ImportWorld(gate, handlers=handlers, publish=SYNC, **options)


def data(world: ImportWorld) -> dict[str, Item]:
    return {row["sk"]: row for row in world.memory.scan(DATA).items}


def check_applied(world: ImportWorld) -> None:
    """Each command of a row that completed is finished, its data row the latest, what was replaced in history."""
    rows = {row["commandSk"]: row for row in world.rows() if row.get("result") == "APPLIED"}
    for command in world.commands():
        assert command["status"] == "finish:FINISHED" or command["sk"] not in rows
        assert not {"openShard", "dueAt"} & set(command) or command["sk"] not in rows
    for sk, found in data(world).items():
        applied = [one for one in world.commands() if one["sk"].startswith(f"{sk}@") and one["sk"] in rows]
        if applied:
            latest = max(applied, key=lambda one: int(one["version"]))
            assert (found["version"], found["name"], found["csk"]) == (latest["version"], latest["name"], latest["sk"])
    kept = Counter(row["sk"].partition("@")[0] for row in world.memory.scan(HISTORY).items)
    assert kept == Counter({sk: row["version"] - 1 for sk, row in data(world).items() if row["version"] > 1})


def run_of(world: ImportWorld, content: bytes) -> ImportJob:
    job = world.import_file(content)
    check_applied(world)
    return job


@pytest.mark.parametrize("target", [None, Target()])
def test_imp_03_04_sync_a_file_again_and_changed(target: Target | None) -> None:
    world = world_of(target)
    job = run_of(world, airports("a", "b", "c"))
    assert (job.status, job.counts.applied) == ("COMPLETED", 3)
    assert (run_of(world, airports("a", "b", "c")).counts.unchanged, len(world.commands())) == (3, 3)
    changed = run_of(world, airports("a", "B", "c", "d"))
    assert (changed.counts.unchanged, changed.counts.applied) == (2, 2)
    (history,) = world.memory.scan(HISTORY).items
    assert (history["sk"], history["name"]) == ("AIRPORT#A001@0000000001", "b")
    if target is not None:
        assert sorted(target.got) == [("A000", 1), ("A001", 1), ("A001", 2), ("A002", 1), ("A003", 1)]
    assert {(row["createdBy"], row["source"], row["requestId"].count("#")) for row in world.commands()} == {
        ("u1", "import", 2)
    }


def test_a_row_is_one_transaction_with_what_a_command_leaves() -> None:
    world = world_of()
    run_of(world, airports("a"))
    (row,) = world.rows()
    (command,) = world.commands()
    (found,) = data(world).values()
    assert command["targets"]["data"]["outcome"] == "APPLIED"
    assert (command["rank"], command["attempt"]) == (1071, 1)
    assert (found["cpk"], found["csk"]) == (command["pk"], command["sk"])
    assert (row["status"], row["commandSk"]) == ("COMPLETED", command["sk"])
    assert "requestId" not in found
    # The images of one transaction come together.
    tables = [table for table, image in world.images if image["pk"] != "CSV_IMPORT#t1"]
    at = tables.index(COMMANDS)
    assert Counter(tables[at : at + 5]) == {COMMANDS: 2, DATA: 1, "import_tmp": 2}


def test_the_row_before_gets_its_ttl() -> None:
    world = world_of(ttl='{"commands": {"default": 90}, "data": {"default": 400}, "history": {"default": 30}}')
    run_of(world, airports("a"))
    run_of(world, airports("b"))
    first, second = sorted(world.commands(), key=lambda one: str(one["sk"]))
    assert ("ttl" in first, "ttl" in second) == (True, False)
    assert all("ttl" in row for row in [*data(world).values(), *world.memory.scan(HISTORY).items])


def test_a_skipped_row_before_keeps_no_ttl_and_holds_nothing_back() -> None:
    world = world_of(ttl='{"commands": {"default": 90}}')
    world.fails = lambda command: True
    command = published(world, "A000", "x")
    world.run()
    world.memory.update(COMMANDS, command.pk, command.sk, Change(set={"status": "skipped"}))
    job = world.import_file(airports("a"))
    first, second = sorted(world.commands(), key=lambda one: str(one["sk"]))
    assert (job.status, second["status"]) == ("COMPLETED", "finish:FINISHED")
    assert ("ttl" in first, first["status"]) == (False, "skipped")


def test_history_that_was_kept_before_stays() -> None:
    world = world_of()
    run_of(world, airports("a"))
    (found,) = data(world).values()
    kept = {**found, "sk": f"{found['sk']}@0000000001", "ttl": 4_000_000_000}
    world.memory.put(HISTORY, kept)
    job = run_of(world, airports("b"))
    assert (job.status, job.counts.applied) == ("COMPLETED", 1)
    assert world.memory.scan(HISTORY).items == [kept]


def test_a_request_id_that_stands_for_something_else_fails_the_row() -> None:
    world = world_of()
    world.put(airports("a"))
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT)
    request = {"pk": "TENANT#t1", "sk": f"REQ#{job.key.ulid}#0#1", "id": "other"}
    world.memory.put(COMMANDS, request)
    world.run()
    assert report(world, world.job(job).report)[1][2] == "RequestConflict"
    assert data(world) == {}


def published(world: ImportWorld, code: str, name: str) -> Command:
    """By somebody else, and not applied."""
    row = dict.fromkeys(["icao", "iata", "name", "city", "subd", "country", "elevation", "lat", "lon", "tz", "lid"], "")
    publisher = CommandPublisher(world.memory, AttributeStore(MemoryObjects()), world.clock)
    given = airport_input({**row, "icao": code, "name": name, "country": "JP", "lat": "1", "lon": "2"})
    command = publisher.publish_async(given, InvokeContext("u2", "t1", "10.0.0.2"))
    assert command is not None
    return command


def put_in_the_read_model(world: ImportWorld, command: Command) -> None:
    """The data row of the only command, whatever its status."""
    (row,) = world.commands()
    row = {**row, "sk": f"AIRPORT#{command.code}", "cpk": command.pk, "csk": command.sk}
    world.memory.put(DATA, {name: value for name, value in row.items() if name not in PIPELINE_FIELDS})


def test_an_open_predecessor_lets_the_row_wait_and_then_fail_naming_it() -> None:
    world = world_of()
    world.lost = lambda name, _: name == "pipeline"
    published(world, "A000", "x")
    job = world.import_file(airports("a", "b"))
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 1, 1)
    code, message = report(world, job.report)[1][2:4]
    assert code == "PendingVersions"
    assert "AIRPORT#A000: version 1 is not applied yet (status publish:ACCEPTED)" in message
    assert data(world).keys() == {"AIRPORT#A001"}


def test_a_row_behind_a_failed_version_fails_naming_it_and_completes_when_that_is_skipped() -> None:
    world = world_of()
    world.fails = lambda command: True
    command = published(world, "A000", "x")
    world.run()
    job = world.import_file(airports("a"))
    assert job.counts.failed == 1
    world.memory.update(COMMANDS, command.pk, command.sk, Change(set={"status": "skipped"}))
    world.service.retry_failed_rows(job.id, CONTEXT)
    world.run()
    assert (world.job(job).status, data(world)["AIRPORT#A000"]["version"]) == ("COMPLETED", 2)


@BATCHES
def test_g2_others_publish_between_any_two_calls(batch: int) -> None:
    """Versions have no gap, and nobody's content is lost: the row is applied on top of it, or waits for it."""
    calls = len(scenario(world_of(batch=batch))[0].gate.calls)
    seen = set()
    for call in range(1, calls + 1):
        world = world_of(batch=batch)
        job = created(world, FILE)

        def publish(_: str, call: int = call, world: ImportWorld = world) -> None:
            world.check()
            if len(world.gate.calls) == call:
                published(world, "A002", "x")

        world.gate.checkpoint = publish
        world.run()
        versions = sorted(one["version"] for one in world.commands() if one["code"] == "A002")
        assert versions == list(range(1, len(versions) + 1))
        row = world.rows()[2]
        if len(versions) == 1:
            assert row["error"]["type"] == "PendingVersions"
        else:
            assert (row["status"], len(versions)) == ("COMPLETED", 2)
        seen.add(len(versions))
        assert status.is_terminal({"status": world.job(job).status})
        assert all(one["status"] == "finish:FINISHED" for one in world.commands() if one["code"] == "A002")
    assert seen == {1, 2}


@BATCHES
def test_g2_another_version_is_in_the_read_model_and_not_done_between_any_two_calls(batch: int) -> None:
    """Its targets have not had it yet: the row waits for it, whatever of it was read."""
    met = 0
    for call in range(1, len(scenario(world_of(batch=batch))[0].gate.calls) + 1):
        world = world_of(batch=batch)
        world.lost = lambda name, _: name == "pipeline"
        created(world, airports("a", "b"))

        def write(_: str, call: int = call, world: ImportWorld = world) -> None:
            if len(world.gate.calls) == call and not world.commands():
                put_in_the_read_model(world, published(world, "A000", "x"))

        world.gate.checkpoint = write
        world.run()
        row, _ = world.rows()
        if next(one for one in world.commands() if one["code"] == "A000")["status"] == "publish:ACCEPTED":
            met += 1
            assert (row["status"], row.get("error", {}).get("type")) == ("FAILED", "PendingVersions"), f"call {call}"
            assert len(world.commands()) == 2
    assert met > 3


def scenario(world: ImportWorld) -> tuple[ImportWorld, ImportJob]:
    job = created(world, FILE)
    world.run()
    check_end(world, job)
    check_applied(world)
    return world, job


def ends(world: ImportWorld) -> tuple[Any, ...]:
    rows, commands, objects = world.outcome()
    stored = {sk: (row["version"], row["name"]) for sk, row in data(world).items()}
    return rows, commands, [body for _, body in objects], stored


def failing() -> Target:
    target = Target()
    target.fails = {"A003": ValueError("the target refused it")}
    return target


@IN_PARTS
@BATCHES
@pytest.mark.parametrize("target", [None, failing])
@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_imp_08_dup_03_sync_a_crash_at_each_call(fault: str, target: Any, batch: int, part: int) -> None:
    world, _ = scenario(world_of(target and target(), batch=batch))
    expected = ends(world)
    for number in part_of(range(1, len(world.gate.calls) + 1), part):
        found = target and target()
        faulty, _ = scenario(world_of(found, Gate(fault, number), batch=batch))
        if found is None or "A003" not in crashed_codes(faulty):
            assert ends(faulty) == expected, f"{fault} call {number}: {world.gate.calls[number - 1]}"
        if found is not None:
            assert {code for code, _ in found.got} >= {"A000", "A002"} - crashed_codes(faulty)


def crashed_codes(world: ImportWorld) -> set[str]:
    """Commands that the sweeper had to end: the pipeline is played, and knows no targets."""
    return {one["code"] for one in world.commands() if "taken" in one}


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("target", [None, failing])
def test_imp_08_dup_02_sync_duplicates(seed: int, target: Any) -> None:
    expected = ends(scenario(world_of(target and target()))[0])
    assert ends(scenario(world_of(target and target(), seed=seed, twice=True))[0]) == expected


def test_imp_15_sync_a_target_that_refuses_fails_the_row_and_not_the_others() -> None:
    target = failing()
    world = world_of(target)
    job = run_of(world, airports(*"abcde"))
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 4, 1)
    assert report(world, job.report)[1][2:4] == ["ValueError", "the target refused it"]
    assert [one["status"] for one in world.commands() if one["code"] == "A003"] == ["sync_data:FAILED"]
    assert sorted(target.got) == [("A000", 1), ("A001", 1), ("A002", 1), ("A004", 1)]


@pytest.mark.parametrize("error", [TransientThrottle("busy"), ConnectionResetError("gone")])
def test_a_target_that_is_not_available_gets_its_turn_when_the_message_comes_again(error: Exception) -> None:
    target = Target()
    world = world_of(target)
    world.put(airports("a"))
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT)
    tries = []

    def up(command: Command) -> None:
        tries.append(command.version)
        if len(tries) < 3:
            raise error

    target.up = up  # type: ignore[method-assign]
    world.run()
    assert (world.job(job).status, tries) == ("COMPLETED", [1, 1, 1])


@pytest.mark.parametrize(("seconds_left", "tries"), [(0, [1, 1]), (60, [1])])
def test_a_message_that_comes_again_takes_over_from_a_run_whose_lease_has_ended(
    seconds_left: int, tries: list[int]
) -> None:
    """Such a run was the sweeper's, and has died. One that holds its lease keeps the command."""
    target = Target()
    world = world_of(target)
    met: list[int] = []

    def up(command: Command) -> None:
        met.append(command.version)
        if len(met) == 1:
            claim = {"runId": "of the sweeper", "leaseUntil": int(world.clock.now()) + seconds_left}
            world.memory.update(COMMANDS, command.pk, command.sk, Change(set=claim))
            raise ConnectionResetError("gone")

    target.up = up  # type: ignore[method-assign]
    world.import_file(airports("a"))
    (command,) = world.commands()
    assert (command["status"], met) == ("finish:FINISHED", tries)
    assert command.get("taken", False) is (len(tries) == 1)


@pytest.mark.parametrize(
    ("error", "status"),
    [(ConnectionResetError("gone"), "finish:FINISHED"), (ValueError("broken"), "finish:FAILED")],
)
def test_the_end_of_a_command_fails_by_its_own_name_and_only_for_good(error: Exception, status: str) -> None:
    world = world_of(Target())
    targets: Any = world.worker._apply._targets
    finish = targets._finish
    tries: list[Any] = []

    def fail_twice(run: Any) -> None:
        tries.append(run)
        if len(tries) < 3:
            raise error
        finish(run)

    targets._finish = fail_twice
    job = world.import_file(airports("a"))
    (command,) = world.commands()
    assert command["status"] == status
    assert job.status == ("COMPLETED" if status == "finish:FINISHED" else "FAILED")


def test_a_row_on_its_own_is_applied_at_once() -> None:
    world = world_of()
    row = dict.fromkeys(["icao", "iata", "name", "city", "subd", "country", "elevation", "lat", "lon", "tz", "lid"], "")
    given = {**row, "icao": "A01", "name": "a", "country": "JP", "lat": "1", "lon": "2"}
    world.service.create_import("airports", given, replace(CONTEXT, request_id="r1"))
    world.run()
    (found,) = world.rows()
    assert (found["status"], found["result"], "dueAt" in found) == ("COMPLETED", "APPLIED", False)


@BATCHES
def test_g5_sync_cancelled_between_any_two_calls(batch: int) -> None:
    calls = len(scenario(world_of(batch=batch))[0].gate.calls)
    for call in range(1, calls + 1):
        world = world_of(batch=batch)
        job = created(world)

        def cancel(_: str, call: int = call, world: ImportWorld = world, job: ImportJob = job) -> None:
            world.check()
            if len(world.gate.calls) == call and not status.is_terminal({"status": world.job(job).status}):
                world.service.cancel_import(job.id, CONTEXT)
                world.jobs._cancel(job.key)

        world.gate.checkpoint = cancel
        world.run()
        check_end(world, job)
        check_applied(world)


@pytest.mark.parametrize(("target", "most"), [(None, 6), (Target(), 12)])
def test_dynamodb_calls_of_a_row(target: Target | None, most: int) -> None:
    """Put by the loader, read by the consumer and its stream, written by one transaction; the job's own left out."""
    for content in (airports("a", "b"), airports("A", "B")):  # a first version, a second one
        counts = []
        for rows in (content, content + b"A900,,z,,,JP,,1,2,,\n"):
            world = world_of(target)
            world.import_file(airports("a", "b"))
            before = len(world.gate.calls)
            world.import_file(rows)
            counts.append(sum(call != "publish" for call in world.gate.calls[before:]))
        assert 0 < counts[1] - counts[0] <= most, counts
