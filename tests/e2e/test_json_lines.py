"""JSON Lines on the deployed program, in both modes: the Map reads them with a reader of its own."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.__main__ import main, parser_of
from cli.imports.import_file import import_file
from cli.imports.stack_imports import StackImports
from cli.operate.stack import on_stack
from contract.objects import NORMALISED
from handlers.commands.keys import EntityKey
from handlers.core.aws import clients as aws
from handlers.imports.jobs.model import DIRECT, STEP_FUNCTION
from tests.e2e.test_import_machine import executions, outcome
from tests.support.imports import DeployedImports, check_out
from tests.support.pipelines import CONTEXT

CONTENT = {"lines": [{"sku": "A", "of": [1, 2.5, None, {"deep": "é"}]}], "gift": True}
ROWS = 100
BAD = {10: "{", 20: "[]", 30: '{"code": "B30"}', 40: '{"code": "B40", "code": "x"}', 51: "", 60: '{"code": NaN}'}
LONG = 70


def line_of(number: int) -> str:
    if number in BAD:
        return BAD[number]
    content = "x" * 190_000 if number == LONG else {**CONTENT, "number": number}
    return json.dumps({"code": f"B{number}", "name": f"n {number}", "content": content}, ensure_ascii=False)


def file_of(numbers: range) -> bytes:
    return "".join(f"{line_of(number)}\n" for number in numbers).encode()


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[DeployedImports]:
    with DeployedImports(tmp_path, config={"importBatchRows": "7"}) as one:
        yield one


@pytest.mark.parametrize("modes", [(DIRECT, STEP_FUNCTION), (STEP_FUNCTION, DIRECT)], ids=lambda modes: str(modes[0]))
def test_imp_20_a_hundred_rows_with_bad_ones_in_both_modes(modes: tuple[str, str], deployed: DeployedImports) -> None:
    content = file_of(range(1, ROWS + 2))
    jobs = [deployed.import_file(content, "baskets.jsonl", table="baskets", mode=mode) for mode in modes]
    first, again = jobs
    assert (first.mode, first.status, first.ignored) == (modes[0], "FAILED", 1)
    assert (first.counts.total, first.counts.applied, first.counts.failed) == (ROWS, 94, 6)
    assert (again.mode, again.counts.unchanged, again.counts.failed) == (modes[1], 94, 6)
    assert outcome(deployed, first) == outcome(deployed, again)
    failed = [(row["line"], row["error"]["type"]) for row in deployed.rows_of(first) if row["status"] == "FAILED"]
    assert failed == [
        (10, "InvalidJson"),
        (20, "InvalidJson"),
        (30, "MissingColumn"),
        (40, "InvalidJson"),
        (60, "InvalidJson"),
        (70, "RowTooLong"),
    ]
    stored = deployed.data(EntityKey("TENANT", "t1", "BASKET", "B99"))
    assert stored["attributes"] == {"content": {**CONTENT, "number": 99}, "price": ""}
    (run,) = executions(deployed)
    assert run.status == "SUCCEEDED"


def test_imp_20_a_good_file_is_read_by_the_map_itself(deployed: DeployedImports) -> None:
    job = deployed.import_file(file_of(range(71, 91)), "baskets.NDJSON", table="baskets", mode=STEP_FUNCTION)
    assert (job.status, job.counts.applied) == ("COMPLETED", 20)
    assert [row["line"] for row in deployed.rows_of(job)] == list(range(1, 21))
    assert aws.s3().list_objects_v2(Bucket=deployed.bucket, Prefix=NORMALISED)["KeyCount"] == 0


def test_imp_20_of_an_archive(deployed: DeployedImports) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("20260101000000-baskets.jsonl", file_of(range(1, 10)))
        archive.writestr("20260102000000-cards.csv", "code,name\nC1,one\n")
    job = deployed.import_archive(packed.getvalue())
    assert (job.status, job.files, job.counts.applied) == ("COMPLETED", 2, 10)


def test_imp_20_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_out(monkeypatch)
    file = tmp_path / "some.jsonl"
    file.write_text('{"icao": "AAA1", "name": "n", "country": "US", "lat": "1", "lon": "2"}\n', encoding="utf-8")
    config = {"handlerModules": '["handlers.domain.airports"]'}
    with DeployedImports(tmp_path, recording=False, config=config) as deployed:
        arguments = [str(file), "--table", "airports", "--tenant", "t1", "--wait"]
        options = parser_of("import").parse_args(arguments)
        assert on_stack(options, lambda stack: import_file(StackImports(stack), options, lambda _: deployed.run())) == 0
        assert main(["import", *arguments, "--encoding", "CP932"]) == 1
        assert "JSON Lines are UTF-8, not CP932" in capsys.readouterr().err
        (job,) = deployed.imports.list_imports(CONTEXT)
        found = aws.s3().head_object(Bucket=deployed.bucket, Key=job.object_key)
        assert found["ContentType"] == "application/x-ndjson"
