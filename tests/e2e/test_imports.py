"""Imports on the deployed program: files in the bucket become commands, which the real pipeline applies."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.__main__ import main, parser_of
from cli.imports.import_file import import_file
from cli.imports.stack_imports import StackImports
from cli.operate.stack import on_stack
from handlers.commands.keys import EntityKey
from local.runtime import PROJECT_DIR
from tests.modules.airports import TYPE
from tests.support.imports import DeployedImports, check_out
from tests.support.pipelines import CONTEXT

QUIRKS = PROJECT_DIR / "tests" / "fixtures" / "quirks"
AIRPORTS = PROJECT_DIR / "data" / "airports.csv"


@pytest.fixture(params=["STANDARD", "EXPRESS"])
def deployed(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[DeployedImports]:
    config = {"handlerModules": '["handlers.domain.airports"]'}
    with DeployedImports(tmp_path, recording=False, workflow=request.param, config=config) as one:
        yield one


def first_rows(count: int) -> bytes:
    with AIRPORTS.open("rb") as file:
        return b"".join(itertools.islice(file, count + 1))


def name_of(deployed: DeployedImports, code: str) -> str:
    return str(deployed.data(EntityKey("TENANT", "t1", TYPE, code))["name"])


def test_imp_03_04_a_file_again_and_changed(deployed: DeployedImports) -> None:
    content = first_rows(24)
    job = deployed.import_file(content)
    assert (job.status, job.error) == ("COMPLETED", None)
    assert (job.counts.total, job.counts.applied) == (24, 24)
    assert name_of(deployed, "00AA") == "Aero B Ranch Airport"

    again = deployed.import_file(content)
    assert (again.status, again.counts.unchanged, again.counts.applied) == ("COMPLETED", 24, 0)

    changed = deployed.import_file(content.replace(b"Aero B Ranch Airport", b"Aero B Farm"))
    assert (changed.status, changed.counts.unchanged, changed.counts.applied) == ("COMPLETED", 23, 1)
    assert name_of(deployed, "00AA") == "Aero B Farm"
    assert deployed.data(EntityKey("TENANT", "t1", TYPE, "00AA"))["version"] == 2


def test_imp_05_06_repeated_keys_and_bad_rows(deployed: DeployedImports) -> None:
    job = deployed.import_file((QUIRKS / "duplicate_keys.csv").read_bytes())
    assert (job.status, job.counts.applied, job.counts.superseded) == ("COMPLETED", 30, 15)
    assert name_of(deployed, "00AK").endswith("(rev 3)")

    job = deployed.import_file((QUIRKS / "bad_values.csv").read_bytes())
    assert (job.status, job.counts.total, job.counts.succeeded, job.counts.failed) == ("FAILED", 60, 50, 10)
    lines = deployed.report(job).splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == ["3", "9", "14", "20", "26", "31", "37", "43", "50", "58"]


def test_imp_09_what_cannot_be_imported(deployed: DeployedImports) -> None:
    job = deployed.import_file(b"icao,name\n1,a\n")
    assert job.status == "FAILED"
    assert job.error is not None
    assert job.error["type"] == "MissingColumn"
    assert [one["id"] for one in deployed.alarms()] == [job.id]
    assert deployed.import_rows() == []


def test_an_import_is_cancelled_on_its_way(deployed: DeployedImports) -> None:
    job = deployed.begin_file(first_rows(60))
    deployed.scheduler.run_until(lambda: deployed.job(job).counts.processed > 0)
    assert deployed.imports.cancel_import(job.id, CONTEXT).is_cancelling
    deployed.run()
    ended = deployed.job(job)
    assert ended.status == "CANCELLED"
    assert ended.counts.processed == ended.counts.total == 60
    assert ended.counts.cancelled > 0
    rows = deployed.import_rows()
    applied = {image["sk"] for image in deployed.images("data") if image["pk"] == "TENANT#t1"}
    assert sum("commandSk" in row for row in rows) == ended.counts.applied == len(applied)
    assert deployed.imports.cancel_import(job.id, CONTEXT) == ended


def test_imp_07_a_retry_loads_what_was_missing_and_tries_failed_rows_again(deployed: DeployedImports) -> None:
    job = deployed.imports.create_csv_import("airports", deployed.bucket, "imports/late.csv", CONTEXT)
    deployed.run()
    assert deployed.job(job).error == {
        "type": "ObjectMissing",
        "message": f"s3://{deployed.bucket}/imports/late.csv does not exist or may not be read",
    }
    deployed.upload((QUIRKS / "bad_values.csv").read_bytes(), "late.csv")
    for attempt in (2, 3):
        deployed.imports.retry_failed_rows(job.id, CONTEXT)
        deployed.run()
        ended = deployed.job(job)
        assert (ended.status, ended.attempt, ended.counts.applied, ended.counts.failed) == ("FAILED", attempt, 50, 10)
        assert f"/{attempt}/" in ended.report[0]
    rows = deployed.import_rows()
    assert sum(row["attempt"] == 3 for row in rows) == 10


def test_imp_15_a_command_that_fails_fails_its_row(tmp_path: Path) -> None:
    modules = '["handlers.domain.airports", "handlers.domain.failing"]'
    with DeployedImports(tmp_path, recording=False, config={"handlerModules": modules}) as deployed:
        job = deployed.import_file(first_rows(40))
        assert job.status == "FAILED"
        assert job.counts.total == 40
        assert 0 < job.counts.failed < 40
        assert job.counts.applied + job.counts.failed == 40
        failed = [row for row in deployed.import_rows() if row["status"] == "FAILED"]
        commands = {row["sk"]: row for row in deployed.images("commands")}
        assert {commands[row["commandSk"]]["status"] for row in failed} == {"sync_data:FAILED"}
        assert all(row["error"]["message"] for row in failed)


def test_a_file_is_imported_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_out(monkeypatch)
    file = tmp_path / "first rows.csv"
    file.write_bytes(first_rows(5))
    config = {"handlerModules": '["handlers.domain.airports"]'}
    with DeployedImports(tmp_path, recording=False, config=config) as deployed:
        arguments = ["import", str(file), "--table", "airports", "--tenant", "t1"]
        assert main(arguments) == 0
        assert "CREATED" in capsys.readouterr().out

        def wait(_: float) -> None:
            deployed.run()

        options = parser_of("import").parse_args([*arguments[1:], "--wait", "--json"])
        assert on_stack(options, lambda stack: import_file(StackImports(stack), options, wait)) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["status"], answer["counts"]["total"]) == ("COMPLETED", 5)
        assert sorted(one.status for one in deployed.imports.list_imports(CONTEXT)) == ["COMPLETED", "COMPLETED"]

        file.write_bytes(b"icao\n")
        options = parser_of("import").parse_args([*arguments[1:], "--wait"])
        assert on_stack(options, lambda stack: import_file(StackImports(stack), options, wait)) == 1
        assert "MissingColumn: columns 'name', 'country'" in capsys.readouterr().out

        assert main([*arguments[:3], "planes", *arguments[4:]]) == 1
        assert "tableName: 'planes' is not allowed; expected one of airports" in capsys.readouterr().err
        assert main(["import", str(tmp_path / "no.csv"), *arguments[2:]]) == 1
        assert "no.csv can't be read: No such file" in capsys.readouterr().err
