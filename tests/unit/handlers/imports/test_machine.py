"""The machine for large files in memory: what it does beside the route that both modes share (``test_route.py``)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from contract.state_machines import CHECK_ROWS, CSV_LOADER, FINALIZE_PARENT_JOB, WAIT_ROWS
from handlers.core.errors import ValidationError
from handlers.imports.csv.map_results import batches_not_done
from handlers.imports.jobs.job_run import JobRun
from handlers.imports.jobs.model import DIRECT, STEP_FUNCTION, ImportJob
from handlers.imports.keys import ImportJobKey
from handlers.imports.rows.row_batches import MOST_ROWS, RowBatches, writes_of
from handlers.objects.memory import MemoryObjects
from handlers.store.port import Write
from local.functions.model import SimulatedCrash
from tests.support.gate import AFTER, BEFORE, Gate
from tests.support.import_world import CONTEXT, ImportWorld
from tests.support.parts import IN_PARTS, part_of
from tests.unit.handlers.imports.quirks import EXPECTED, QUIRKS
from tests.unit.handlers.imports.test_route import airports, report

DEFINITION = json.loads((Path("infra") / "state_machines" / "import_csv.asl.json").read_text(encoding="utf-8"))
CHILD = DEFINITION["States"]["import-csv"]["ItemProcessor"]["States"]["csv_rows_handler"]
CSV_FILES = sorted(name for name in EXPECTED if name.endswith(".csv"))
#: A child is an EXPRESS execution, which ends after 300 s (Step Functions service quotas).
CHILD_BUDGET_SECONDS = 270


def outcome(world: ImportWorld, job: ImportJob) -> tuple[Any, ...]:
    names = ("number", "line", "row", "status", "result", "error", "supersededBy")
    rows = [{name: row[name] for name in names if name in row} for row in world.rows()]
    commands = sorted((row["sk"], row["name"], json.dumps(row["attributes"], default=str)) for row in world.commands())
    return job.status, job.error, job.counts, rows, commands, report(world, job.report)


@pytest.mark.parametrize("name", CSV_FILES)
def test_imp_02_a_file_has_the_same_outcome_in_both_modes(name: str) -> None:
    content = (QUIRKS / name).read_bytes()
    worlds = [ImportWorld(mode=mode) for mode in (DIRECT, STEP_FUNCTION)]
    direct, machine = (outcome(world, world.import_file(content)) for world in worlds)
    assert machine == direct
    assert len(worlds[1].machine.runs) == 1


def run_of(world: ImportWorld) -> Any:
    (run,) = world.machine.runs.values()
    return run


def test_the_states_are_visited_in_the_order_of_the_definition() -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    world.import_file(airports("a", "b"))
    visited = run_of(world).visited
    assert visited[:2] == [CSV_LOADER, "import-csv"]
    assert visited[2] == CHECK_ROWS, "what the Map could not write is written before anybody waits"
    assert visited[3:-1] == [WAIT_ROWS, CHECK_ROWS] * (len(visited[3:-1]) // 2)
    assert (visited[-1], run_of(world).ended) == (FINALIZE_PARENT_JOB, "success")
    (run,) = world.machine.runs
    (job,) = world.service.list_imports(CONTEXT)
    assert run == JobRun(ImportJobKey.parse_id(job.id), 1).execution_name


def test_each_attempt_of_each_job_has_an_execution_of_its_own() -> None:
    keys = [ImportJobKey("CSV_IMPORT", "t1", "airports", letter * 26) for letter in "AB"]
    names = {JobRun(key, attempt).execution_name for key in keys for attempt in (1, 2)}
    assert len(names) == 4
    assert all(len(name) <= 80 and name.isalnum() for name in names)


@pytest.mark.parametrize("content", [(QUIRKS / "header_only.csv").read_bytes(), b"icao\n"])
def test_the_map_is_left_out_where_there_is_nothing_to_read(content: bytes) -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    world.import_file(content)
    assert run_of(world).visited == [CSV_LOADER, CHECK_ROWS, FINALIZE_PARENT_JOB]


def test_imp_08_batches_whose_calls_all_died_are_written_from_the_results_of_the_map() -> None:
    expected = ImportWorld(mode=STEP_FUNCTION)
    expected.import_file(airports("a", "!", "c", "d", "e", "f", "g"))
    world = ImportWorld(mode=STEP_FUNCTION)
    write, dying = world.rows_handler.__call__, [True]
    died: list[int] = []

    def dies(run: Any, payload: Any) -> Any:
        given = payload.input
        first = given["Items"][0]["index"]
        if first in (0, 6) and dying:
            died.append(first)
            raise SimulatedCrash
        return write(given)

    world.machine._functions["csv_rows_handler"]._steps["csv_rows_handler"] = dies  # type: ignore[index]
    job = world.import_file(airports("a", "!", "c", "d", "e", "f", "g"))
    assert Counter(died) == {0: 5, 6: 5}
    assert (job.status, job.counts.total, job.counts.applied, job.counts.failed) == ("FAILED", 7, 6, 1)
    assert [row["status"] for row in world.rows()] == [row["status"] for row in expected.rows()]


def map_died(world: ImportWorld) -> tuple[Any, ...]:
    world.machine.map_dies_after = 2
    job = world.import_file(airports("a", "!", "c", "d", "e", "f", "g", "h", "i"))
    assert len(world.rows()) == 6
    return job.status, job.error, job.counts


def test_imp_13_a_map_that_dies_fails_the_job_and_what_it_applied_is_counted() -> None:
    status, error, counts = map_died(ImportWorld(mode=STEP_FUNCTION))
    assert (status, error) == ("FAILED", {"type": "MapFailed", "message": "States.ItemReaderFailed: it died"})
    assert (counts.total, counts.applied, counts.failed, counts.processed) == (9, 5, 1, 6)


@IN_PARTS
@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_imp_13_a_crash_at_each_call_beside(fault: str, part: int) -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    expected, calls = map_died(world), world.gate.calls
    for number in part_of(range(1, len(calls) + 1), part):
        assert map_died(ImportWorld(Gate(fault, number), mode=STEP_FUNCTION)) == expected, f"{fault} call {number}"


def late(world: ImportWorld) -> tuple[Any, ...]:
    """The messages of all rows but one are lost."""
    sent = world._sent
    gate: Any = world.stream._topic
    gate._sent = lambda message: sent(message) if message["sk"].endswith("3") else None
    job = world.import_file(airports(*"abcdefghijk", "!", *"mnopqrstuvwxyz"))
    rows = [(row["status"], row.get("error", {}).get("type")) for row in world.rows()]
    return job.status, job.error, job.counts, rows, len(report(world, job.report))


def test_imp_19_rows_without_progress_fail_when_the_time_is_over() -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    status, error, counts, rows, lines = late(world)
    assert (status, counts.total, counts.applied, counts.failed) == ("FAILED", 26, 3, 23)
    assert error["type"] == "RowsFailed"
    assert Counter(rows) == {("FAILED", "Timeout"): 22, ("FAILED", "InvalidValue"): 1, ("COMPLETED", None): 3}
    assert lines == 24
    assert run_of(world).visited.count(FINALIZE_PARENT_JOB) > 1, "the rows are closed in portions"


@IN_PARTS
@pytest.mark.parametrize("fault", [BEFORE, AFTER])
def test_imp_19_a_crash_at_each_call_beside(fault: str, part: int) -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    expected, calls = late(world), world.gate.calls
    checks = [number for number, call in enumerate(calls, start=1) if call != "get_together"]
    for number in part_of(checks, part):
        assert late(ImportWorld(Gate(fault, number), mode=STEP_FUNCTION)) == expected, f"{fault} call {number}"


def test_what_comes_for_a_job_that_is_over_changes_nothing() -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    job = world.import_file(airports("a", "b"))
    images = list(world.images)
    batch = {
        "BatchInput": {"Attributes": {"jobKey": job.id, "attempt": 1}},
        "Items": [{"index": 5, "row": {"icao": "A999"}}],
    }
    assert world.rows_handler(batch) == {"result": "dropped"}
    run = JobRun(job.key, 1)
    assert world.progress.machine_ended(run, "it was stopped")["status"] == "COMPLETED"
    given = {"jobKey": job.id, "attempt": 1, "deadline": 0, "waitSeconds": 5}
    assert world.progress.check_rows(run, given)["done"]
    assert world.progress.finalize_parent_job(run, {**given, "error": {"Error": "e"}})["status"] == "COMPLETED"
    assert world.images == images


@pytest.mark.parametrize(("seconds_left", "done"), [(1, False), (0, True), (-1, True)])
def test_a_job_is_late_at_its_deadline(seconds_left: int, done: bool) -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    world.put(airports("a", "b"))
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT, mode=STEP_FUNCTION)
    world.run_until(lambda: bool(world.machine.runs))
    given = {"jobKey": job.id, "attempt": 1, "deadline": world.clock.now() + seconds_left}
    assert world.progress.check_rows(JobRun(job.key, 1), given)["done"] is done


def test_an_error_is_reported_without_its_stack_trace() -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    world.put(airports("a", "b"))
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT, mode=STEP_FUNCTION)
    world.run_until(lambda: bool(world.machine.runs))
    world.pending = [one for one in world.pending if one[0] != CSV_LOADER]
    cause = {"errorMessage": "no memory", "errorType": "MemoryError", "stackTrace": ["/var/task/handlers/x.py"]}
    error = {"Error": "MemoryError", "Cause": json.dumps(cause)}
    world.progress.finalize_parent_job(JobRun(job.key, 1), {"jobKey": job.id, "attempt": 1, "error": error})
    assert world.job(job).error == {"type": "MachineFailed", "message": "MemoryError: no memory"}


def load_bad_rows(world: ImportWorld) -> None:
    """The loader's state for ten batches of rows that can't be read, again and again until it answers."""
    bad = b"".join(b"A%d,,x,,,JP,,1,2,,,extra\n" % number for number in range(10 * MOST_ROWS))
    world.put(airports().rstrip() + b"\n" + bad)
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT, mode=STEP_FUNCTION)
    world.run_until(lambda: bool(world.machine.runs))
    given = {"jobKey": job.id, "attempt": 1}
    with suppress(SimulatedCrash):
        world.machine.call(CSV_LOADER, "x", given, given)
        return
    world.machine.call(CSV_LOADER, "x", given, given)


def test_a_loader_that_was_cut_short_goes_on_where_it_stopped() -> None:
    """So that one with more such rows than it can write in its time comes to its end at the third or fourth call."""
    world = ImportWorld(mode=STEP_FUNCTION, checks=False)
    load_bad_rows(world)
    writes = [number for number, call in enumerate(world.gate.calls, start=1) if call == "transact"]
    eighth = writes[-3]
    world = ImportWorld(Gate(BEFORE, eighth), mode=STEP_FUNCTION, checks=False)
    load_bad_rows(world)
    assert len(world.rows()) == 10 * MOST_ROWS
    assert world.gate.calls[eighth:].count("transact") == 3
    assert world.gate.calls.count("transact") == len(writes) + 1


def test_a_job_whose_machine_died_when_all_was_done_is_ended_by_the_sweeper() -> None:
    """The execution was aborted and its event is lost; it can't be started again under its name."""
    world = ImportWorld(mode=STEP_FUNCTION)
    world.put(airports("a", "b"))
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT, mode=STEP_FUNCTION)
    world.lost = lambda name, number: name in ("wait_rows", CHECK_ROWS)
    world.run()
    assert (world.job(job).status, world.job(job).counts.applied) == ("PROCESSING", 2)
    world.heal(hours=2)
    assert world.job(job).status == "COMPLETED"


def test_a_machine_that_was_stopped_fails_its_job() -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    world.put(airports("a", "b"))
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT, mode=STEP_FUNCTION)
    world.run_until(lambda: bool(world.machine.runs))
    world.pending = [one for one in world.pending if one[0] != CSV_LOADER]
    world.progress.machine_ended(JobRun(job.key, 1), "execution x ended as ABORTED")
    world.run()
    assert world.job(job).error == {"type": "MachineFailed", "message": "execution x ended as ABORTED"}


def test_a_job_whose_machine_died_ends_well_when_it_is_loaded_again() -> None:
    """Nobody told of its death; the sweeper has the job loaded again, and the machine was started before."""
    world = ImportWorld(mode=STEP_FUNCTION)
    world.put(airports("a", "!"))
    job = world.service.create_csv_import("airports", "files", "a.csv", CONTEXT, mode=STEP_FUNCTION)
    world.run_until(lambda: FINALIZE_PARENT_JOB in [name for name, _ in world.pending])
    world.pending = [one for one in world.pending if one[0] != FINALIZE_PARENT_JOB]
    world.run()
    assert world.job(job).status == "PROCESSING"
    assert world.loader.load(job.key) == "FAILED"
    ended = world.job(job)
    assert (ended.error or {})["type"] == "RowsFailed"
    assert (ended.counts.total, ended.counts.applied, ended.counts.failed, len(ended.report)) == (2, 1, 1, 1)
    assert len(world.machine.runs) == 1


@pytest.mark.parametrize(
    "given", [{}, {"BatchInput": {}, "Items": []}, {"BatchInput": {"Attributes": {"jobKey": "x"}}, "Items": []}, None]
)
def test_a_batch_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        ImportWorld().rows_handler(given)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"no json", b'{"ResultFiles": {"FAILED": []}}'])
def test_a_result_that_is_none_is_refused(body: bytes) -> None:
    objects = MemoryObjects()
    objects.put("m", body)
    with pytest.raises(ValidationError, match="map: 'dict' is not allowed; expected the result of a Map"):
        list(batches_not_done(objects, {"ResultWriterDetails": {"Key": "m"}}))


def test_imp_08_a_transaction_has_at_most_100_writes_and_4_megabytes() -> None:
    world = ImportWorld(mode=STEP_FUNCTION)
    job = world.import_file(airports("!"))
    sizes: list[int] = []
    transact = world.memory.transact

    def counted(writes: Sequence[Write]) -> None:
        sizes.append(len(writes))
        transact(writes)

    world.memory.transact = counted  # type: ignore[method-assign]
    import_repository = world.rows_handler._repository
    key, new_row = job.key, import_repository.new_rows(import_repository.job(job.key) or {})
    rows = [new_row(key.row(number), number + 1, 1, {"a": "b"}, "CANCELLED") for number in range(1, 200)]
    assert RowBatches(import_repository).write(rows) == 199
    assert RowBatches(import_repository).write(rows) == 0
    assert max(sizes) == MOST_ROWS + 16 == 100
    world.check()
    large = [new_row(key.row(number), 1, 1, {"a": "x" * 190_000}, "CREATED") for number in range(200, 210)]
    sizes.clear()
    assert RowBatches(import_repository).write(large) == 10
    assert sizes == [3, 3, 3, 1]
    assert len(writes_of(rows[:20])) == 36


def test_a_child_ends_within_the_time_of_an_express_execution() -> None:
    tries, pauses = 1, 0.0
    for retrier in CHILD["Retry"]:
        for number in range(retrier["MaxAttempts"]):
            tries += 1
            pause = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** number
            pauses += min(pause, retrier.get("MaxDelaySeconds", pause))
    seconds = tries * CHILD["TimeoutSeconds"] + pauses
    print(f"longest way through a child: {seconds:.0f} s")
    assert seconds <= CHILD_BUDGET_SECONDS
