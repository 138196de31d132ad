"""Archives on the deployed program: their CSV files are imported one after the other, in the order of their names."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main, parser_of
from cli.imports.import_file import import_file
from cli.imports.stack_imports import StackImports
from cli.operate.stack import on_stack
from handlers.commands.keys import EntityKey
from handlers.core.aws import clients as aws
from handlers.imports.jobs.model import ImportJob
from handlers.imports.jobs.status import is_terminal
from handlers.store.port import IMPORT_TMP
from local.functions.model import InvokeResult, SimulatedCrash
from local.runtime import PROJECT_DIR
from local.states.running.executions import RUNNING, SUCCEEDED
from tests.modules.airports import COLUMNS, TYPE
from tests.support.imports import DeployedImports, check_out
from tests.support.pipelines import CONTEXT

QUIRKS = PROJECT_DIR / "tests" / "fixtures" / "quirks"
HEADER = ",".join(COLUMNS)


#: The bucket is for one test; the program is evaluated once for all.
CONFIG = {"handlerModules": '["handlers.domain.airports"]', "importBuckets": '["elsewhere"]'}


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[DeployedImports]:
    with DeployedImports(tmp_path, recording=False, config=CONFIG) as one:
        yield one


def airports(*names: str) -> bytes:
    rows = (f"A{index:03d},,{name},,,JP,,1,2,," for index, name in enumerate(names))
    return (HEADER + "\n" + "".join(f"{row}\n" for row in rows)).encode()


def archive(**files: bytes) -> bytes:
    """``day1=...`` becomes ``20250101000000-airports.csv``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(f"2025010{name[-1]}000000-airports.csv" if name.startswith("day") else name, content)
    return buffer.getvalue()


def quirk(name: str) -> bytes:
    return (QUIRKS / name).read_bytes()


def name_of(deployed: DeployedImports, code: str) -> str:
    return str(deployed.data(EntityKey("TENANT", "t1", TYPE, code))["name"])


def report(deployed: DeployedImports, job: ImportJob) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(deployed.report(job), newline="")))


def test_zip_01_files_are_imported_in_the_order_of_their_names(deployed: DeployedImports) -> None:
    job = deployed.import_archive(quirk("ok.zip"))
    assert (job.status, job.error, job.report) == ("COMPLETED", None, ())
    assert (job.counts.total, job.counts.applied, job.files, job.failed_files) == (70, 70, 2, 0)
    first, second = deployed.imports.list_files(job.id, CONTEXT)
    assert (first.name, first.counts.total) == ("20250101000000-airports.csv", 50)
    assert (second.name, second.counts.total) == ("20250102000000-airports.csv", 20)
    versions = [
        (row["version"], str(row["name"]).endswith("(new)")) for row in deployed.images("data") if "name" in row
    ]
    assert sorted(versions) == [*[(1, False)] * 60, *[(2, True)] * 10]
    assert_one_at_a_time(deployed, 2)
    (execution,) = deployed.runtime.executions.list_executions(deployed.zip_machine_arn)
    assert execution.status == SUCCEEDED


def assert_one_at_a_time(deployed: DeployedImports, files: int) -> None:
    """Measured on every write: never are two of the files' jobs open, and each ends before the next one begins."""
    open_jobs: set[str] = set()
    begun, most = [], 0
    for image in deployed.images("import_tmp"):
        if image.get("kind") != "job" or "parent" not in image:
            continue
        if is_terminal(image):
            open_jobs.discard(image["sk"])
        else:
            open_jobs.add(image["sk"])
            if image["position"] not in begun:
                begun.append(image["position"])
        most = max(most, len(open_jobs))
    assert (most, begun, open_jobs) == (1, list(range(files)), set())


def test_zip_02_a_bad_file_does_not_stop_the_rest_and_the_report_names_it(deployed: DeployedImports) -> None:
    job = deployed.import_archive(quirk("one_bad.zip"))
    assert (job.status, job.counts.total, job.counts.applied, job.counts.failed) == ("FAILED", 70, 66, 4)
    assert (job.files, job.failed_files) == (2, 1)
    assert job.error == {
        "type": "FilesFailed",
        "message": "1 of 2 files failed: 20250104000000-airports.csv (RowsFailed); see the report",
    }
    good, bad = report(deployed, job)
    assert (good["file"], good["status"], good["rows"]) == ("20250103000000-airports.csv", "COMPLETED", "50")
    assert (bad["file"], bad["status"], bad["code"], bad["succeeded"], bad["failed"]) == (
        "20250104000000-airports.csv",
        "FAILED",
        "RowsFailed",
        "16",
        "4",
    )
    child = deployed.imports.get_import(bad["job"], CONTEXT)
    assert (child.parent, child.file, child.report_urls) == (job.id, bad["file"], (bad["report"],))
    assert [line.split(",")[0] for line in deployed.report(child).splitlines()[1:]] == ["2", "8", "13", "20"]
    assert_one_at_a_time(deployed, 2)


def test_zip_02_files_that_cannot_be_imported_fail_alone(deployed: DeployedImports) -> None:
    """No header, no table, an unknown table, damaged; then a good one, and one without rows."""
    damaged = bytearray(
        archive(
            day1=b"icao\n",
            day2=airports("damaged"),
            day8=airports("good"),
            day9=(HEADER + "\n").encode(),
            **{"notes.csv": b"x\n", "20250103000000-planes.csv": b"x\n"},
        )
    )
    with zipfile.ZipFile(io.BytesIO(damaged)) as file:
        info = file.getinfo("20250102000000-airports.csv")
    damaged[info.header_offset + 60] ^= 0xFF
    job = deployed.import_archive(bytes(damaged))
    files = {file.name: file for file in deployed.imports.list_files(job.id, CONTEXT)}
    told = {name: (file.status, file.error and file.error["type"], file.counts.total) for name, file in files.items()}
    assert told == {
        "20250101000000-airports.csv": ("FAILED", "MissingColumn", None),
        "20250102000000-airports.csv": ("FAILED", "UnreadableEntry", 0),
        "20250103000000-planes.csv": ("FAILED", "UnknownTable", 0),
        "20250108000000-airports.csv": ("COMPLETED", None, 1),
        "20250109000000-airports.csv": ("COMPLETED", None, 0),
        "notes.csv": ("FAILED", "NoTable", 0),
    }
    assert (job.status, job.files, job.failed_files, job.counts.applied) == ("FAILED", 6, 4, 1)
    assert job.error is not None
    assert "4 of 6 files failed: 20250101000000-airports.csv (MissingColumn) and 3 more" in job.error["message"]
    assert name_of(deployed, "A000") == "good"


def test_zip_03_folders_and_resource_forks(deployed: DeployedImports) -> None:
    job = deployed.import_archive(quirk("nested.zip"))
    assert (job.status, job.counts.applied) == ("COMPLETED", 30)
    file, skipped = deployed.imports.list_files(job.id, CONTEXT)
    assert file.name == "export/20250105000000-airports.csv"
    assert (skipped.name, skipped.status) == ("__MACOSX/export/._20250105000000-airports.csv", "SKIPPED")


def many_entries(count: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for number in range(count):
            file.writestr(f"{20250101000000 + number}-airports.csv", b"")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (lambda: quirk("traversal.zip"), "UnsafeName", "entry '../../evil.csv' points outside the archive"),
        (lambda: quirk("empty.zip"), "EmptyArchive", "the archive is empty"),
        (lambda: quirk("not_csv.zip"), "NoCsvFiles", "no file of CSV or JSON Lines, but 'readme.txt', 'image.png'"),
        (lambda: b"no archive", "NotAnArchive", "not a ZIP archive"),
        (lambda: archive(day1=airports("a"), day2=b"0" * 20_000_000), "ArchiveRatio", "(zipMaxRatio)"),
        (lambda: many_entries(10_001), "TooManyEntries", "has 10001 entries; at most 1000 are allowed (zipMaxEntries)"),
    ],
    ids=["traversal", "empty", "not_csv", "no_archive", "bomb", "10001 entries"],
)
def test_zip_04_05_06_08_archives_that_are_refused_whole(
    deployed: DeployedImports, content: Callable[[], bytes], code: str, message: str
) -> None:
    job = deployed.import_archive(content())
    assert (job.status, job.files, job.counts.total) == ("FAILED", None, None)
    assert job.error is not None
    assert job.error["type"] == code
    assert message in job.error["message"]
    assert deployed.imports.list_files(job.id, CONTEXT) == []
    rows = deployed.import_store.scan(IMPORT_TMP).items
    assert [(row["kind"], row["id"]) for row in rows] == [("job", job.id)]
    objects = aws.s3().list_objects_v2(Bucket=deployed.bucket)["Contents"]
    assert [one["Key"] for one in objects] == ["imports/airports.zip"]


def test_zip_a_table_given_for_all_files(deployed: DeployedImports) -> None:
    content = archive(**{"b.csv": airports("later"), "a.csv": airports("earlier", "x")})
    job = deployed.import_archive(content, table="airports", encoding="UTF-8")
    assert (job.status, job.table, job.counts.applied) == ("COMPLETED", "airports", 3)
    assert name_of(deployed, "A000") == "later"
    assert [one.id for one in deployed.imports.list_imports(CONTEXT, archives=True)] == [job.id]
    assert len(deployed.imports.list_imports(CONTEXT)) == 2


def stream_of_ended_files(payload: Any) -> bool:
    """Whether a call brings the end of a file's job."""
    images = [record.get("dynamodb", {}).get("NewImage", {}) for record in payload.get("Records", ())]
    return any("parent" in image and image["status"]["S"] in ("COMPLETED", "FAILED") for image in images)


def test_zip_07_a_lost_callback_ends_the_job_within_its_timeout(deployed: DeployedImports) -> None:
    """Each try to tell that the first file has ended dies: the sweeper finds out, long before its time is over."""

    def lose(function: str, payload: Any, proceed: Any) -> InvokeResult:
        if function.endswith("-imports") and stream_of_ended_files(payload):
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    deployed.runtime.host.interceptors.append(lose)
    started = deployed.scheduler.now()
    job = deployed.import_archive(archive(day1=airports("one")))
    took = deployed.scheduler.now() - started
    assert (job.status, job.error, job.counts.applied) == ("COMPLETED", None, 1)
    assert took < 2 * 3600
    assert_no_token_left(deployed)


def test_zip_07_a_callback_that_is_sent_twice_has_one_effect(deployed: DeployedImports) -> None:
    """Every call of a function is made twice; also with the token that was answered."""

    def twice(function: str, payload: Any, proceed: Any) -> InvokeResult:
        result: InvokeResult = proceed(payload)
        return proceed(payload) if function.endswith(("-imports", "-loader")) else result

    deployed.runtime.host.interceptors.append(twice)
    job = deployed.import_archive(archive(day1=airports("one", "two"), day2=airports("ONE")))
    assert (job.status, job.counts.total, job.counts.applied) == ("COMPLETED", 3, 3)
    assert name_of(deployed, "A000") == "ONE"
    (execution,) = deployed.runtime.executions.list_executions(deployed.zip_machine_arn)
    succeeded = [one for one in deployed.runtime.executions.history(execution.arn) if one.type == "TaskSucceeded"]
    assert len(succeeded) == 4  # zip_loader, two files, finalize_zip_job
    assert len(deployed.imports.list_imports(CONTEXT)) == 2
    assert_one_at_a_time(deployed, 2)
    assert_no_token_left(deployed)


def assert_no_token_left(deployed: DeployedImports) -> None:
    assert [row["sk"] for row in deployed.import_store.scan(IMPORT_TMP).items if "taskToken" in row] == []


def test_zip_07_a_file_that_hangs_fails_in_its_time_before_the_next_one_starts(tmp_path: Path) -> None:
    """Whoever works on the first file's row dies."""

    def hang(function: str, payload: Any, proceed: Any) -> InvokeResult:
        records = payload.get("Records", ())
        if any(one.get("eventSource") == "aws:sqs" and slow in one["body"] for one in records):
            raise SimulatedCrash
        result: InvokeResult = proceed(payload)
        return result

    config = {"handlerModules": '["handlers.domain.airports"]', "importTimeoutHours": "1"}
    with DeployedImports(tmp_path, recording=False, config=config) as deployed:
        deployed.runtime.host.interceptors.append(hang)
        content = archive(day1=airports("a"), day2=airports("b"))
        aws.s3().put_object(Bucket=deployed.bucket, Key="imports/a.zip", Body=content)
        job = deployed.imports.create_zip_import(deployed.bucket, "imports/a.zip", CONTEXT)
        slow = f"#{job.key.child('airports', 0).ulid}#"
        deployed.run()
        first, second = deployed.imports.list_files(job.id, CONTEXT)
        assert (first.status, first.error and first.error["type"], first.counts.failed) == ("FAILED", "RowsFailed", 1)
        assert (second.status, second.counts.applied, second.error) == ("COMPLETED", 1, None)
        assert deployed.job(job).status == "FAILED"
        assert_one_at_a_time(deployed, 2)
        assert_no_token_left(deployed)


def test_zip_cancelled_while_a_file_is_imported(deployed: DeployedImports) -> None:
    content = archive(day1=airports(*["x"] * 60), day2=airports("never"))
    aws.s3().put_object(Bucket=deployed.bucket, Key="imports/a.zip", Body=content)
    job = deployed.imports.create_zip_import(deployed.bucket, "imports/a.zip", CONTEXT)
    deployed.scheduler.run_until(lambda: deployed.job(job).counts.processed > 0)
    assert deployed.imports.cancel_import(job.id, CONTEXT).is_cancelling
    deployed.run()
    job = deployed.job(job)
    first, second = deployed.imports.list_files(job.id, CONTEXT)
    assert (job.status, first.status, second.status) == ("CANCELLED", "CANCELLED", "CANCELLED")
    assert (second.job, second.error and second.error["type"]) == (None, "Cancelled")
    assert first.counts.applied > 0
    assert first.counts.cancelled > 0
    assert first.counts.is_complete
    assert [line["status"] for line in report(deployed, job)] == ["CANCELLED", "CANCELLED"]


def test_zip_a_machine_that_is_aborted_leaves_a_failed_job(deployed: DeployedImports) -> None:
    aws.s3().put_object(
        Bucket=deployed.bucket, Key="imports/a.zip", Body=archive(day1=airports("a"), day2=airports("b"))
    )
    job = deployed.imports.create_zip_import(deployed.bucket, "imports/a.zip", CONTEXT)
    deployed.scheduler.run_until(lambda: deployed.job(job).counts.processed == 1)
    (execution,) = deployed.runtime.executions.list_executions(deployed.zip_machine_arn, RUNNING)
    deployed.runtime.executions.stop_execution(execution.arn)
    deployed.run()
    job = deployed.job(job)
    assert (job.status, job.error and job.error["type"]) == ("FAILED", "MachineFailed")
    first, second = deployed.imports.list_files(job.id, CONTEXT)
    assert (first.status, second.status, second.job) == ("COMPLETED", "CREATED", None)
    assert_no_token_left(deployed)


def test_zip_from_another_bucket(tmp_path: Path) -> None:
    with DeployedImports(tmp_path, recording=False, config=CONFIG) as deployed:
        aws.s3().create_bucket(Bucket="elsewhere")
        aws.s3().put_object(Bucket="elsewhere", Key="a.zip", Body=archive(day1=airports("a")))
        job = deployed.imports.create_zip_import("elsewhere", "a.zip", CONTEXT)
        aws.s3().put_object(Bucket="elsewhere", Key="a.csv", Body=airports("A"))
        other = deployed.imports.create_csv_import("airports", "elsewhere", "a.csv", CONTEXT)
        deployed.run()
        assert (deployed.job(job).status, deployed.job(other).status) == ("COMPLETED", "COMPLETED")


def test_zip_an_archive_is_imported_from_the_command_line(
    deployed: DeployedImports, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_out(monkeypatch)
    file = tmp_path / "two files.zip"
    file.write_bytes(archive(day1=airports("a", "b"), day2=b"icao\n"))

    def wait(_: float) -> None:
        deployed.run()

    def run(*more: str) -> tuple[int, str]:
        options = parser_of("import").parse_args([str(file), "--tenant", "t1", *more])
        code = on_stack(options, lambda stack: import_file(StackImports(stack), options, wait))
        return code, capsys.readouterr().out

    code, text = run("--wait")
    assert code == 1
    told = dict(line.split(maxsplit=1) for line in text.splitlines()[2:])
    assert told["status"] == "FAILED"
    assert told["20250101000000-airports.csv"] == "COMPLETED, 2 rows"
    assert told["20250102000000-airports.csv"].startswith("FAILED, MissingColumn: columns 'name', 'country'")
    assert told["report"].endswith("/files.csv")

    file.write_bytes(archive(**{"x.csv": airports("c")}))
    code, text = run("--wait", "--json", "--table", "airports")
    answer = json.loads(text)
    assert (code, answer["status"], answer["counts"]["applied"]) == (0, "COMPLETED", 1)
    assert [(one["name"], one["status"]) for one in answer["files"]] == [("x.csv", "COMPLETED")]

    assert main(["import", str(file), "--tenant", "t1"]) == 0
    assert "CREATED" in capsys.readouterr().out
    deployed.run()
    plain = tmp_path / "a.csv"
    plain.write_bytes(airports("a"))
    assert main(["import", str(plain), "--tenant", "t1"]) == 1
    assert "--table is needed for a single file: airports" in capsys.readouterr().err
