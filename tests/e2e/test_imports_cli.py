"""``./cqrs imports`` against a deployed stack."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.__main__ import main
from handlers.core.aws import clients as aws
from handlers.imports.jobs.model import ImportJob
from handlers.store.port import IMPORT_TMP, Change
from tests.support.deployments import RECORDING
from tests.support.imports import DeployedImports
from tests.support.pipelines import CONTEXT


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[DeployedImports]:
    with DeployedImports(tmp_path, config={"handlerModules": json.dumps([RECORDING])}) as one:
        yield one


def test_imp_07_a_failed_import_is_shown_and_retried(
    deployed: DeployedImports, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["imports", "list", "--tenant", "t1"]) == 0
    assert capsys.readouterr().out == "no imports of tenant t1\n"
    job = deployed.imports.create_csv_import("notes", deployed.bucket, "imports/late.csv", CONTEXT)
    deployed.run()
    assert main(["imports", "show", job.id]) == 0
    text = capsys.readouterr().out
    assert "not read yet" in text
    assert "ObjectMissing: s3://" in text
    deployed.upload(b"code,name\nn1,a\nn1,b\n", "late.csv")
    assert main(["imports", "retry", job.id]) == 0
    assert "CREATED" in capsys.readouterr().out
    deployed.run()
    assert main(["imports", "list", "--tenant", "t1", "--table", "notes"]) == 0
    assert "1 of 2 done, 1 superseded" in capsys.readouterr().out
    assert main(["imports", "show", job.id, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["attempt"], answer["counts"]["total"]) == ("COMPLETED", 2, 2)


def test_edge_20_23_show_prints_how_the_file_was_read(
    deployed: DeployedImports, capsys: pytest.CaptureFixture[str]
) -> None:
    job = deployed.begin_file("code,name\nn1,東京駅\nn2,ひらがな\n,\n".encode("cp932"), table="notes")
    deployed.run()
    assert main(["imports", "show", job.id]) == 0
    shown = capsys.readouterr().out
    assert "2 of 2 done" in shown
    assert "CP932" in shown
    assert "1 rows without values" in shown
    assert main(["imports", "show", job.id, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["encoding"], answer["ignoredRows"]) == ("CP932", 1)


def test_an_import_is_cancelled(deployed: DeployedImports, capsys: pytest.CaptureFixture[str]) -> None:
    job = deployed.begin_file(b"code,name\nn1,a\n", table="notes")
    assert main(["imports", "cancel", job.id]) == 0
    assert "CANCELLED" in capsys.readouterr().out
    deployed.run()
    assert main(["imports", "cancel", job.id]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["retry", "CSV_IMPORT#t1#notes"],
            "importId: 'CSV_IMPORT#t1#notes' is not allowed; expected CSV_IMPORT#<tenant>",
        ),
        (["show", f"CSV_IMPORT#t1#notes#{'0' * 26}"], f"CSV_IMPORT#t1#notes#{'0' * 26}: there is no such import"),
        (
            ["list", "--tenant", "t1", "--limit", "1000"],
            "limit: 1000 is not allowed; expected a whole number from 1 to 100",
        ),
    ],
)
def test_wrong_arguments_are_one_clear_line(
    deployed: DeployedImports, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["imports", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cqrs: error: {message}")


def test_what_may_not_be_retried_or_cancelled(deployed: DeployedImports, capsys: pytest.CaptureFixture[str]) -> None:
    job = deployed.import_file(b"code,name\nn1,a\n", table="notes")
    assert main(["imports", "retry", job.id]) == 1
    assert f"{job.id}: COMPLETED; only a FAILED import is retried" in capsys.readouterr().err
    assert main(["imports", "cancel", job.id]) == 1
    assert "COMPLETED; only an import without outcome is cancelled" in capsys.readouterr().err


# -- reports ----------------------------------------------------------------------------------------


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(["imports", *arguments]) == code
    return capsys.readouterr().out


def failed_import(deployed: DeployedImports) -> ImportJob:
    """Rows 2 and 3 of 3 fail: a value too many, with what steers a terminal and what a spreadsheet runs."""
    rows = ["code,name", "n1,a", "n2,b,\x1b[2J", "n3,=1+1,-53.49"]
    job = deployed.import_file("\n".join(rows).encode(), table="notes")
    assert (job.status, job.counts.failed) == ("FAILED", 2)
    return job


def test_edge_33_the_report_of_failed_rows_is_printed(
    deployed: DeployedImports, capsys: pytest.CaptureFixture[str]
) -> None:
    job = failed_import(deployed)
    url = f"s3://{deployed.bucket}/reports/t1/{job.key.ulid}/1/failed-rows-001.csv"
    message = "3 values, but the header names 2 columns"
    assert printed(capsys, "report", job.id).splitlines()[2:] == [
        "  row  line  code           message                                   values",
        f"    2     3  TooManyValues  {message}  n2,b,\\x1b[2J",
        f"    3     4  TooManyValues  {message}  n3,=1+1,-53.49",
        "",
        "encoding of the file: UTF-8",
        f"report: {url}",
    ]
    assert "1 more; --limit N shows more, --csv all of them" in printed(capsys, "report", job.id, "--limit", "1")
    assert printed(capsys, "report", job.id, "--path") == f"{url}\n"
    answer = json.loads(printed(capsys, "report", job.id, "--json"))
    assert (answer["id"], answer["status"], answer["report"]) == (job.id, "FAILED", [url])
    assert answer["rows"][1] == {
        "row": 3,
        "line": 4,
        "code": "TooManyValues",
        "message": message,
        "values": {"code": "n3", "name": "=1+1"},
        "beyond": ["-53.49"],
    }
    text = printed(capsys, "report", job.id, "--csv")
    assert text == "\ufeff" + deployed.report(job)
    assert list(csv.reader(io.StringIO(text[1:])))[2][4:] == ["n3", "'=1+1", "-53.49"]


def test_edge_33_a_report_of_several_parts_is_one_file(
    deployed: DeployedImports, capsys: pytest.CaptureFixture[str]
) -> None:
    job = failed_import(deployed)
    (key,) = job.report
    other = key.replace("001", "002")
    body = aws.s3().get_object(Bucket=deployed.bucket, Key=key)["Body"].read()
    aws.s3().put_object(Bucket=deployed.bucket, Key=other, Body=body)
    pk, sk = job.key.pk, job.key.sk
    deployed.import_store.update(IMPORT_TMP, pk, sk, Change(set={"report": [key, other]}))
    header, *rows = printed(capsys, "report", job.id, "--csv").splitlines()
    assert header == "\ufeffrow,line,code,message,code,name"
    assert [row[:2] for row in rows] == ["2,", "3,"] * 2
    assert len(json.loads(printed(capsys, "report", job.id, "--json"))["rows"]) == 4


def test_edge_33_show_counts_the_failed_rows_by_reason(
    deployed: DeployedImports, capsys: pytest.CaptureFixture[str]
) -> None:
    job = failed_import(deployed)
    text = printed(capsys, "show", job.id)
    assert f"s3://{deployed.bucket}/reports/t1/" in text
    assert text.splitlines()[-2:] == [
        "  code           rows  first row  line  message",
        "  TooManyValues     2          2     3  3 values, but the header names 2 columns",
    ]
    answer = json.loads(printed(capsys, "show", job.id, "--json"))
    (reason,) = answer["reasons"]
    assert (reason["code"], reason["rows"], reason["row"], reason["line"]) == ("TooManyValues", 2, 2, 3)


def test_edge_33_imports_without_a_report_say_why(
    deployed: DeployedImports, capsys: pytest.CaptureFixture[str]
) -> None:
    good = deployed.import_file(b"code,name\nn1,a\n", table="notes")
    assert printed(capsys, "report", good.id, "--csv") == ""
    refused = deployed.import_file(b"", "empty.csv", table="notes")
    assert main(["imports", "report", refused.id]) == 1
    assert "there is no report, because no row was read: EmptyFile: the file is empty" in capsys.readouterr().err
    running = deployed.begin_file(b"code,name\nn1,a\n", "later.csv", table="notes")
    assert main(["imports", "report", running.id]) == 1
    assert "CREATED; the report is written when the import ends" in capsys.readouterr().err
    deployed.run()
    failed = failed_import(deployed)
    aws.s3().delete_object(Bucket=deployed.bucket, Key=failed.report[0])
    assert main(["imports", "report", failed.id]) == 1
    assert f"{failed.report_urls[0]} does not exist or may not be read" in capsys.readouterr().err


def test_edge_30_the_commands_list_what_an_archive_skips(
    deployed: DeployedImports, capsys: pytest.CaptureFixture[str]
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("./20250101000000-notes.csv", b"code,name\nn1,a\n")
        file.writestr("read\x1bme.txt", b"x")
    job = deployed.import_archive(buffer.getvalue(), "a.zip")
    assert (job.status, job.skipped_files) == ("COMPLETED", 1)
    text = printed(capsys, "show", job.id)
    assert "20250101000000-notes.csv  COMPLETED     1       0" in text
    assert text.splitlines()[-1] == "  read\\x1bme.txt  its name does not end in .csv, .jsonl or .ndjson"
    skipped = json.loads(printed(capsys, "show", job.id, "--json"))["files"][1]
    assert (skipped["name"], skipped["status"], skipped["error"]["type"]) == ("read\x1bme.txt", "SKIPPED", "NotCsv")
    lines = json.loads(printed(capsys, "report", job.id, "--json"))["files"]
    assert [(line["file"], line["code"]) for line in lines] == [
        ("20250101000000-notes.csv", ""),
        ("read\x1bme.txt", "NotCsv"),
    ]
    assert "SKIPPED    NotCsv" in printed(capsys, "report", job.id)
