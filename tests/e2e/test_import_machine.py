"""Large files on the deployed program: the import-csv machine with its Distributed Map, in the real interpreter."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contract.state_machines import CHECK_ROWS, CSV_ROWS_HANDLER, FINALIZE_PARENT_JOB
from handlers.commands.keys import EntityKey
from handlers.core.aws import clients as aws
from handlers.imports.jobs.model import DIRECT, STEP_FUNCTION, ImportJob
from handlers.imports.keys import IMPORT_SHARDS
from local.aws.model import AwsCall
from local.functions.model import InvokeResult, SimulatedCrash
from tests.e2e.test_imports import QUIRKS, first_rows, name_of
from tests.modules.airports import TYPE
from tests.support.imports import DeployedImports
from tests.support.pipelines import CONTEXT
from tests.unit.handlers.imports.quirks import EXPECTED

CSV_FILES = sorted(name for name in EXPECTED if name.endswith(".csv"))
CONFIG = {"handlerModules": '["handlers.domain.airports"]'}
#: One for all that need small numbers, because the program is evaluated once for each.
SMALL = {
    **CONFIG,
    "importBatchRows": "5",
    "importMaxConcurrency": "4",
    "importDirectRows": "20",
    "importTimeoutHours": "1",
}
HEADER = "icao,iata,name,city,subd,country,elevation,lat,lon,tz,lid\n"


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[DeployedImports]:
    with DeployedImports(tmp_path, recording=False, config=CONFIG) as one:
        yield one


def executions(deployed: DeployedImports) -> list[Any]:
    machine = deployed.runtime.outputs["importCsvStateMachineArn"]
    return [one for one in deployed.runtime.executions.list_executions(machine) if "/" not in one.machine.name]


def outcome(deployed: DeployedImports, job: ImportJob) -> tuple[Any, ...]:
    names = ("number", "line", "row", "status", "error", "supersededBy")
    rows = [{name: row[name] for name in names if name in row} for row in deployed.rows_of(job)]
    numbers = (job.counts.total, job.counts.succeeded, job.counts.failed, job.counts.superseded)
    return job.status, job.error, numbers, rows, deployed.report(job)


@pytest.mark.parametrize("name", CSV_FILES)
def test_imp_02_a_file_has_the_same_outcome_in_both_modes(name: str, deployed: DeployedImports) -> None:
    content = (QUIRKS / name).read_bytes()
    machine = deployed.import_file(content, name, mode=STEP_FUNCTION)
    direct = deployed.import_file(content, name, mode=DIRECT)
    assert (machine.mode, direct.mode) == (STEP_FUNCTION, DIRECT)
    assert outcome(deployed, machine) == outcome(deployed, direct)
    assert direct.counts.applied == 0, "the second import found everything as it was"


def test_imp_06_16_bad_rows_and_a_file_that_is_replaced(deployed: DeployedImports) -> None:
    job = deployed.begin_file((QUIRKS / "bad_values.csv").read_bytes(), "a.csv", mode=STEP_FUNCTION)
    deployed.scheduler.run_until(lambda: bool(executions(deployed)), timeout=60)
    aws.s3().put_object(Bucket=deployed.bucket, Key="imports/a.csv", Body=HEADER.encode())
    deployed.run()
    job = deployed.job(job)
    assert (job.status, job.counts.total, job.counts.applied, job.counts.failed) == ("FAILED", 60, 50, 10)
    lines = deployed.report(job).splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["3", "9", "14", "20", "26", "31", "37", "43", "50", "58"]


def test_imp_09_10_what_cannot_be_imported(deployed: DeployedImports) -> None:
    job = deployed.import_file(b"icao,name\n1,a\n", mode=STEP_FUNCTION)
    assert job.error is not None
    assert (job.status, job.error["type"]) == ("FAILED", "MissingColumn")
    job = deployed.imports.create_csv_import("airports", deployed.bucket, "imports/no.csv", CONTEXT, mode=STEP_FUNCTION)
    deployed.run()
    job = deployed.job(job)
    assert job.error is not None
    assert (job.status, job.error["type"]) == ("FAILED", "ObjectMissing")
    assert deployed.import_rows() == []
    job = deployed.import_file((QUIRKS / "big_field.csv").read_bytes(), mode=STEP_FUNCTION)
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 19, 1)
    assert {one.status for one in executions(deployed)} == {"SUCCEEDED"}


def test_imp_11_the_number_of_rows_decides(tmp_path: Path) -> None:
    with DeployedImports(tmp_path, recording=False, config=SMALL) as deployed:
        assert deployed.import_file(first_rows(20)).mode == DIRECT
        job = deployed.import_file(first_rows(21))
        assert (job.status, job.mode, job.counts.unchanged, job.counts.applied) == ("COMPLETED", STEP_FUNCTION, 20, 1)


def test_imp_12_never_more_batches_at_once_than_allowed(tmp_path: Path) -> None:
    with DeployedImports(tmp_path, recording=False, config=SMALL) as deployed:
        running, most = 0, 0

        def measured(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            nonlocal running, most
            running += 1
            most = max(most, running)
            deployed.scheduler.sleep(2)
            result: InvokeResult = proceed(payload)
            running -= 1
            return result

        with deployed.intercepted(CSV_ROWS_HANDLER, measured):
            job = deployed.import_file(first_rows(40), mode=STEP_FUNCTION)
        assert (job.status, job.counts.applied) == ("COMPLETED", 40)
        print(f"at most {most} of 8 batches at once")
        assert most == 4


@pytest.mark.parametrize("seed", range(3))
def test_imp_08_batches_come_twice_children_die_and_the_end_is_retried(tmp_path: Path, seed: int) -> None:
    """Each call of the machine's functions: dies before, or after its work, or is made twice."""
    content = (QUIRKS / "bad_values.csv").read_bytes() + b"00AA,,again,,,US,,1,2,,\n"
    with DeployedImports(tmp_path, recording=False, config=SMALL, seed=seed) as deployed:
        chance, died = random.Random(seed), Counter[str]()

        def shaken(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            state, what = payload["context"]["State"]["Name"], chance.randrange(4)
            if what == 0 or died[state] >= 20:
                return proceed(payload)
            if what == 1:
                proceed(payload)
                return proceed(payload)
            died[state] += 1
            if what == 2:
                proceed(payload)
            raise SimulatedCrash

        for state in (CSV_ROWS_HANDLER, CHECK_ROWS):
            deployed.intercept(state, shaken)
        once = iter([True, True])

        def dies_twice(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            result: InvokeResult = proceed(payload)
            if next(once, False):
                raise SimulatedCrash
            return result

        deployed.intercept(FINALIZE_PARENT_JOB, dies_twice)
        job = deployed.import_file(content, mode=STEP_FUNCTION)
        assert died[CSV_ROWS_HANDLER] > 3
        assert (job.status, job.counts.total, job.counts.processed) == ("FAILED", 61, 61)
        assert (job.counts.applied, job.counts.failed, job.counts.superseded) == (50, 10, 1)
        rows = deployed.rows_of(job)
        assert Counter(row["status"] for row in rows) == {"COMPLETED": 50, "FAILED": 10, "SUPERSEDED": 1}
        assert len({row["sk"] for row in deployed.images("commands") if "status" in row}) == 50


def test_imp_08_a_batch_whose_calls_all_die_is_written_from_the_results(tmp_path: Path) -> None:
    with DeployedImports(tmp_path, recording=False, config=SMALL) as deployed:

        def second_batch_dies(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            if payload["input"]["Items"][0]["index"] == 5:
                raise SimulatedCrash
            result: InvokeResult = proceed(payload)
            return result

        with deployed.intercepted(CSV_ROWS_HANDLER, second_batch_dies):
            job = deployed.import_file(first_rows(12), mode=STEP_FUNCTION)
        assert (job.status, job.counts.total, job.counts.applied) == ("COMPLETED", 12, 12)


class NoObjects:
    """Refuses the Map's reads of files in the bucket."""

    def __init__(self) -> None:
        self.refused = 0

    def before(self, call: AwsCall) -> str | None:
        is_map = call.caller is not None and call.caller.endswith("-import-csv")
        if is_map and call.operation == "GetObject":
            self.refused += 1
            return "AccessDenied"
        return None

    def after(self, call: AwsCall) -> None:
        return None


def test_imp_13_a_map_that_cannot_read_fails_the_job(deployed: DeployedImports) -> None:
    deployed.runtime.endpoint.faults = faults = NoObjects()
    job = deployed.import_file(first_rows(30), mode=STEP_FUNCTION)
    assert faults.refused
    assert job.error is not None
    assert (job.status, job.error["type"]) == ("FAILED", "MapFailed")
    assert "States.ItemReaderFailed" in job.error["message"]
    assert (job.counts.total, job.counts.processed) == (30, 0)
    assert [one.status for one in executions(deployed)] == ["SUCCEEDED"]


def test_imp_13_rows_that_were_applied_before_the_machine_was_stopped_are_counted(tmp_path: Path) -> None:
    with DeployedImports(tmp_path, recording=False, config=SMALL) as deployed:

        def slow(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            deployed.scheduler.sleep(50)
            result: InvokeResult = proceed(payload)
            return result

        deployed.intercept(CSV_ROWS_HANDLER, slow)
        job = deployed.begin_file(first_rows(30), mode=STEP_FUNCTION)
        deployed.scheduler.run_for(65)
        (execution,) = executions(deployed)
        deployed.runtime.executions.stop_execution(execution.arn)
        deployed.run()
        job = deployed.job(job)
        assert job.error is not None
        assert (job.status, job.error["type"]) == ("FAILED", "MachineFailed")
        assert job.error["message"].endswith("ended as ABORTED")
        assert 0 < job.counts.applied < 30
        assert job.counts.applied == len(deployed.rows_of(job)) == job.counts.processed


def test_imp_19_rows_without_progress_fail_when_the_time_is_over(tmp_path: Path) -> None:
    with DeployedImports(tmp_path, recording=False, config=SMALL) as deployed:

        def lost(function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            records = payload.get("Records", [{}])
            # no id that is drawn has an L
            if records[0].get("eventSource") == "aws:sqs" and "L001" not in json.dumps(records):
                raise SimulatedCrash
            result: InvokeResult = proceed(payload)
            return result

        deployed.runtime.host.interceptors.append(lost)
        rows = "".join(f"L{number:03d},,{'' if number == 1 else 'a'},,,JP,,1,2,,\n" for number in range(5))
        job = deployed.import_file((HEADER + rows).encode(), mode=STEP_FUNCTION)
        assert (job.status, job.counts.total, job.counts.failed) == ("FAILED", 5, 5)
        codes = Counter(row["error"]["type"] for row in deployed.rows_of(job))
        assert codes == {"Timeout": 4, "InvalidValue": 1}
        assert deployed.report(job).count("no outcome within 1 hours (importTimeoutHours)") == 4


def test_the_writes_of_an_import_are_bounded(tmp_path: Path) -> None:
    """The job's row at most once a batch, a counter at most once a completed row, and once to be told how many there
    will be; rows in one transaction a batch.
    """
    with DeployedImports(tmp_path, recording=False, config=CONFIG) as deployed:
        written: Counter[str] = Counter()

        class Watch:
            def before(self, call: AwsCall) -> str | None:
                return None

            def after(self, call: AwsCall) -> None:
                if call.service != "dynamodb" or call.operation not in ("UpdateItem", "TransactWriteItems"):
                    return
                text = json.dumps(call.params, default=str)
                written["job"] += text.count('"CSV_IMPORT#t1"')
                written["counters"] += text.count('"counters"') if '"Update"' in text else 0
                written["batches"] += '"Put"' in text and '"row"' in text and call.operation == "TransactWriteItems"

        deployed.runtime.endpoint.faults = Watch()
        job = deployed.import_file(first_rows(100), mode=STEP_FUNCTION)
        assert job.counts.applied == 100
        print(dict(written))
        assert written["batches"] == 10
        assert written["job"] <= 10
        assert written["counters"] <= 100 + IMPORT_SHARDS


def test_cancelled_while_the_map_runs(tmp_path: Path) -> None:
    with DeployedImports(tmp_path, recording=False, config=SMALL) as deployed:

        def slow(payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
            deployed.scheduler.sleep(50)
            result: InvokeResult = proceed(payload)
            return result

        deployed.intercept(CSV_ROWS_HANDLER, slow)
        job = deployed.begin_file(first_rows(30), mode=STEP_FUNCTION)
        deployed.scheduler.run_for(65)
        deployed.imports.cancel_import(job.id, CONTEXT)
        deployed.run()
        job = deployed.job(job)
        assert job.status == "CANCELLED"
        assert job.counts.processed == job.counts.total == 30
        assert 0 < job.counts.applied < 30
        assert job.counts.applied + job.counts.cancelled == 30


def test_imp_05_repeated_keys_are_left_out_of_the_copy(deployed: DeployedImports) -> None:
    job = deployed.import_file((QUIRKS / "duplicate_keys.csv").read_bytes(), mode=STEP_FUNCTION)
    assert (job.counts.applied, job.counts.superseded) == (30, 15)
    assert name_of(deployed, "00AK").endswith("(rev 3)")
    (copy,) = aws.s3().list_objects_v2(Bucket=deployed.bucket, Prefix="normalised/")["Contents"]
    lines = aws.s3().get_object(Bucket=deployed.bucket, Key=copy["Key"])["Body"].read().splitlines()
    assert len(lines) == 31
    assert deployed.data(EntityKey("TENANT", "t1", TYPE, "00AK"))["version"] == 1
