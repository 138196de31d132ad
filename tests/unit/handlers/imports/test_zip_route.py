"""The route of an archive in memory: outcomes, duplicates, late and lost answers, and a crash at every call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handlers.imports.jobs import status
from local.functions.model import InvokeResult, SimulatedCrash
from local.states.running.executions import FAILED, RUNNING, SUCCEEDED
from tests.support.gate import AFTER, BEFORE, Gate
from tests.support.machine_world import AT_ONCE, LATER
from tests.support.parts import IN_PARTS, part_of
from tests.support.zip_world import CONTEXT, MACHINE, ZipWorld, airports, archive

#: A good file, one with a bad header, one without rows, one that changes a row of the first; and one without a table.
CONTENT = archive(airports("a", "b"), b"icao\n", airports(), airports("A", "b", "!"), **{"notes.csv": b"x\n"})


def scenario(world: ZipWorld) -> dict[str, Any]:
    job = world.import_archive(CONTENT)
    world.check()
    told = [(file.name, file.status, file.error and file.error["type"]) for file in world.files(job)]
    assert told == [
        ("20250100000001-airports.csv", "COMPLETED", None),
        ("20250100000002-airports.csv", "FAILED", "MissingColumn"),
        ("20250100000003-airports.csv", "COMPLETED", None),
        ("20250100000004-airports.csv", "FAILED", "RowsFailed"),
        ("notes.csv", "FAILED", "NoTable"),
    ]
    assert (job.status, job.files, job.failed_files) == ("FAILED", 5, 3)
    assert (job.counts.total, job.counts.applied, job.counts.unchanged, job.counts.failed) == (5, 3, 1, 1)
    assert [execution.status for execution in world.executions.list_executions(MACHINE)] == [SUCCEEDED]
    return world.outcome()


def test_zip_02_the_scenario_ends_as_designed() -> None:
    world = ZipWorld()
    outcome = scenario(world)
    assert [name for _, name, _ in outcome["commands"]] == ["a", "A", "b"]
    (job,) = world.service.list_imports(CONTEXT, archives=True)
    children = world.service.list_imports(CONTEXT)
    assert outcome["alarms"] == sorted(f"{one.id}#1" for one in [job, *children] if one.status == "FAILED")
    assert {child.parent for child in children} == {job.id}
    assert {row["createdBy"] for row in world.rows(status.JOB)} == {"u1"}


@pytest.mark.parametrize("fault", [BEFORE, AFTER])
@IN_PARTS
def test_zip_07_dup_03_a_crash_at_each_call(fault: str, part: int) -> None:
    world = ZipWorld()
    expected = scenario(world)
    calls = world.gate.calls
    assert len(calls) > 100
    for number in part_of(range(1, len(calls) + 1), part):
        outcome = scenario(ZipWorld(Gate(fault, number)))
        assert outcome == expected, f"{fault} call {number}: {calls[number - 1]}"


@pytest.mark.parametrize("twice", [AT_ONCE, LATER])
@pytest.mark.parametrize("seed", range(8))
def test_zip_07_dup_02_every_call_twice_in_any_order(twice: str, seed: int) -> None:
    assert scenario(ZipWorld(twice=twice, seed=seed)) == scenario(ZipWorld())


def test_i16_a_retried_trigger_has_the_same_child_wait_with_another_token() -> None:
    """The function dies after its write: the state is tried again, with a token that replaces the first one."""
    world = ZipWorld()
    died: list[str] = []

    def die_once(function: str, payload: Any, proceed: Any) -> InvokeResult:
        result: InvokeResult = proceed(payload)
        if state_of(payload) == "trigger_single_csv" and not died:
            died.append(payload["taskToken"])
            raise SimulatedCrash
        return result

    world.host.interceptors.append(die_once)
    job = world.import_archive(archive(airports("a")))
    world.check()
    assert (job.status, job.counts.applied) == ("COMPLETED", 1)
    (child,) = world.service.list_imports(CONTEXT)
    assert child.parent == job.id
    assert len(world.tokens) == 2
    tokens = [image["taskToken"] for image in world.images if "taskToken" in image]
    assert (tokens[0], tokens[-1]) == (died[0], (world.tokens - set(died)).pop())
    (execution,) = world.executions.list_executions(MACHINE)
    assert [event.type for event in world.executions.history(execution.arn)].count("TaskSucceeded") == 3


def state_of(payload: Any) -> str:
    return str(payload.get("context", {}).get("State", {}).get("Name", ""))


def test_zip_07_a_token_of_an_earlier_try_does_not_replace_a_later_one() -> None:
    """The first try of the trigger is slow: it comes back when the second one waits already."""
    world = ZipWorld()
    late: list[Any] = []

    def come_late(function: str, payload: Any, proceed: Any) -> InvokeResult:
        if state_of(payload) == "trigger_single_csv" and not late:
            late.append(payload)
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        if state_of(payload) == "trigger_single_csv" and len(late) == 1:
            late.append(payload)
            proceed(late[0])
        return result

    world.host.interceptors.append(come_late)
    job = world.import_archive(archive(airports("a")))
    world.check()
    assert (job.status, len(late), world.tokens) == ("COMPLETED", 2, {late[1]["taskToken"]})


def ends_of_files(payload: Any) -> bool:
    images = [record.get("dynamodb", {}).get("NewImage", {}) for record in payload.get("Records", ())]
    return any("parent" in image and image["status"]["S"] in ("COMPLETED", "FAILED") for image in images)


def test_zip_07_lost_callbacks_cost_each_file_its_time_and_nothing_else() -> None:
    world = ZipWorld()

    def lose(function: str, payload: Any, proceed: Any) -> InvokeResult:
        if function == "imports" and ends_of_files(payload):
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    world.host.interceptors.append(lose)
    started = world.scheduler.now()
    job = world.import_archive(archive(airports("a"), airports("A", "b")))
    assert (job.status, job.counts.applied, job.error) == ("COMPLETED", 3, None)
    hours = (world.scheduler.now() - started) / 3600
    assert 2 * 25 <= hours < 2 * 25 + 1
    assert set(world.given_up) == {"imports"}
    world.given_up.clear()
    world.check()


def test_zip_07_the_sweeper_gives_the_answer_that_was_lost() -> None:
    world = ZipWorld()

    def lose(function: str, payload: Any, proceed: Any) -> InvokeResult:
        if function == "imports" and ends_of_files(payload):
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    world.host.interceptors.append(lose)
    job = world.create(archive(airports("a"), airports("A", "b")))
    world.sweep(hours=3)
    job = world.job(job)
    assert (job.status, job.counts.applied, job.error) == ("COMPLETED", 3, None)
    world.given_up.clear()
    world.check()


def test_zip_07_a_job_that_has_ended_before_the_state_is_tried_again_answers_at_once() -> None:
    """The function dies after its write, until the job that it opened has ended: its first token is void by then."""
    world = ZipWorld()
    died: list[str] = []

    def die(function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
        if state_of(payload) != "trigger_single_csv":
            return proceed(payload)
        if not died:
            proceed(payload)
        died.append(payload["taskToken"])
        if len(died) <= 2:
            raise SimulatedCrash
        assert [child.status for child in world.service.list_imports(CONTEXT)] == ["COMPLETED"]
        return proceed(payload)

    world.host.interceptors.append(die)
    job = world.import_archive(archive(airports("a")))
    assert (job.status, len(died)) == ("COMPLETED", 3)
    assert world.scheduler.now() - world.started < 3600
    world.check()


def test_zip_07_a_late_trigger_opens_no_job_once_its_file_was_given_up() -> None:
    """Each try to open the first file's job fails; one of them comes back when the second file is imported."""
    world = ZipWorld()
    late: list[Any] = []

    def fail(function: str, payload: Any, proceed: Any) -> InvokeResult:
        if state_of(payload) == "trigger_single_csv" and payload["input"]["position"] == 0:
            late.append(payload)
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        if state_of(payload) == "trigger_single_csv":
            for one in late:
                proceed(one)
        return result

    world.host.interceptors.append(fail)
    job = world.import_archive(archive(airports("never"), airports("a")))
    world.check()
    assert len(late) == 4
    first, second = world.files(job)
    assert (first.status, first.job, first.error and first.error["type"]) == ("FAILED", None, "Runtime.ExitError")
    assert (second.status, second.counts.applied, job.status) == ("COMPLETED", 1, "FAILED")
    assert [command["name"] for command in world.commands()] == ["a"]


def test_zip_07_rows_that_never_end_are_waited_for_and_then_given_up() -> None:
    """The first file's command hangs for good: its job can't end, so the next file starts after the grace."""
    world = ZipWorld()
    world.hangs = lambda command: command["name"] == "slow"
    job = world.import_archive(archive(airports("slow"), airports("x", "quick")))
    first, second = world.files(job)
    assert (first.status, first.error and first.error["type"], second.status) == ("FAILED", "Timeout", "COMPLETED")
    assert (job.status, job.counts.applied, job.counts.total) == ("FAILED", 2, 3)
    slow = world.service.get_import(str(first.job), CONTEXT)
    assert (slow.status, slow.is_cancelling) == ("PROCESSING", True)
    (execution,) = world.executions.list_executions(MACHINE)
    states = [(event.details or {}).get("name") for event in world.executions.history(execution.arn)]
    assert 3 < states.count("wait_cancelled") / 2 < 30
    assert ((execution.stopped or 0) - execution.started) / 3600 == pytest.approx(25.5, abs=0.2)


@IN_PARTS
def test_zip_cancelled_at_any_moment(part: int) -> None:
    """Nothing is left open, no file is begun afterwards, and what is counted is what there is."""
    world = ZipWorld()
    world.import_archive(CONTENT)
    moments = len(world.gate.calls)
    seen = set()
    for moment in part_of(range(1, moments), part):
        world = ZipWorld()
        job = world.create(CONTENT)
        with world.quietly():
            world.scheduler.run_until(lambda: len(world.gate.calls) >= moment)  # noqa: B023 - at once
        if world.job(job).status in status.TERMINAL:
            continue
        world.service.cancel_import(job.id, CONTEXT)
        begun = len(world.service.list_imports(CONTEXT))
        world.run()
        if begun:
            world.check()
        job = world.job(job)
        seen.add(job.status)
        assert len(world.service.list_imports(CONTEXT)) == begun
        assert all(child.status in status.TERMINAL for child in world.service.list_imports(CONTEXT))
        assert all(file.status in status.TERMINAL for file in world.files(job)) or not begun
        assert {one.status for one in world.executions.list_executions(MACHINE)} <= {SUCCEEDED}, moment
    assert seen == {"CANCELLED", "FAILED"}


@IN_PARTS
def test_zip_the_machine_is_aborted_at_any_moment(part: int) -> None:
    """The job fails and says so; the file that was being imported comes to its own end."""
    world = ZipWorld()
    world.import_archive(CONTENT)
    moments = len(world.gate.calls)
    for moment in part_of(range(1, moments), part):
        world = ZipWorld()
        job = world.create(CONTENT)
        with world.quietly():
            world.scheduler.run_until(lambda: len(world.gate.calls) >= moment)  # noqa: B023 - at once
        running = world.executions.list_executions(MACHINE, RUNNING)
        for execution in running:
            world.executions.stop_execution(execution.arn)
        world.run()
        told = world.job(job)
        if running:
            assert told.status == "FAILED"
            assert told.error is not None
            assert told.error["type"] in ("MachineFailed", "FilesFailed"), moment
        assert all(child.status in status.TERMINAL for child in world.service.list_imports(CONTEXT))
        assert [row["sk"] for row in world.rows(status.JOB) if "taskToken" in row] == []


def test_zip_a_job_whose_outcome_cannot_be_written_by_the_machine_gets_it_from_the_rule() -> None:
    world = ZipWorld()

    def fail(function: str, payload: Any, proceed: Any) -> InvokeResult:
        if state_of(payload) == "finalize_zip_job":
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    world.host.interceptors.append(fail)
    job = world.import_archive(archive(airports("a")))
    world.check()
    (execution,) = world.executions.list_executions(MACHINE)
    assert (execution.status, execution.error) == (FAILED, "Unrecorded")
    assert (job.status, job.error and job.error["type"], job.counts.applied) == ("FAILED", "MachineFailed", 1)


def test_zip_a_thousand_files_fit_into_the_history_of_one_execution() -> None:
    """Of 25,000 events (Step Functions service quotas)."""
    counts = []
    for files in (3, 13):
        world = ZipWorld()
        world.import_archive(archive(*[airports()] * files))
        (execution,) = world.executions.list_executions(MACHINE)
        assert execution.status == SUCCEEDED
        counts.append(len(world.executions.history(execution.arn)))
    per_file = (counts[1] - counts[0]) / 10
    assert per_file == 8
    assert counts[0] + 997 * per_file < 25_000
