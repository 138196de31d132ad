"""``./cqrs imports`` against a deployed stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cli.__main__ import main
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
