"""What was stored doesn't steer the terminal; a reader that stops ends a command quietly."""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from cli.__main__ import main
from cli.operate.answers import Place, line_of
from cli.output import Progress, as_json, table
from cli.terminal import OutputEnded, complain, ended, show, write
from handlers.core.errors import CqrsError
from handlers.core.log import JsonFormatter
from handlers.core.values.text import is_visible
from local.runtime import PROJECT_DIR

HOSTILE = "index\x1b]0;owned\x07\x1b[2J\r\n  9  DONE\x9b31m\u202e\u2028\x85\x7f"
#: As outside of containers: with PYTHONUNBUFFERED, argparse swallows the error of its help by itself.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
#: Prints by itself what another process of ours reads.
OWN_PROTOCOL = {"bench/csv_reading.py", "local/preview/snapshot.py"}


def test_edge_51_tables_keep_one_row_on_one_line() -> None:
    text = table(HOSTILE, [(HOSTILE, 1), (Path(HOSTILE), 2)], header=("error", "version"))
    assert len(text.splitlines()) == 5
    assert is_visible(text.replace("\n", ""))


def test_edge_51_json_answers_hold_no_raw_controls() -> None:
    document = as_json({HOSTILE: [HOSTILE]})
    assert is_visible(document.replace("\n", ""))
    assert json.loads(document) == {HOSTILE: [HOSTILE]}


def test_edge_51_errors_are_one_line() -> None:
    answer = {"Error": {"Code": "ValidationException", "Message": HOSTILE}}
    for error in (CqrsError(HOSTILE), ClientError(answer, "Query")):  # type: ignore[arg-type]
        line = line_of(error, Place("stack dev", "cqrs-dev-commands"))
        assert line is not None
        assert is_visible(line)


def test_edge_51_what_reaches_the_terminal_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    show(f"first\n{HOSTILE}")
    complain(HOSTILE)

    def bug() -> int:
        raise RuntimeError(HOSTILE)

    assert ended(bug) == 1
    with pytest.raises(SystemExit, match="2"):
        main(["explain", "KEY", "--option\x1b[2J"])
    assert main([HOSTILE]) == 2
    output = capsys.readouterr()
    assert "Traceback" in output.err
    assert is_visible((output.out + output.err).replace("\n", ""))


def test_edge_51_log_lines_are_read_in_terminals_too() -> None:
    record = logging.makeLogRecord({"msg": HOSTILE, "fields": {"code": "\ud800"}})
    line = JsonFormatter().format(record)
    assert is_visible(line)
    assert json.loads(line)["message"] == HOSTILE


def printing(root: Path) -> Iterator[str]:
    """Files of the command line that reach the terminal by themselves."""
    for folder in ("handlers", "local", "bench"):
        for path in (root / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                name = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
                if name == "print" or name.endswith(("stdout.write", "stderr.write")):
                    yield str(path.relative_to(root))


def test_edge_51_one_module_prints_what_people_read() -> None:
    assert set(printing(PROJECT_DIR)) == OWN_PROTOCOL


def gone() -> int:
    """The writing end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


def run(code: str, *, stdout: int = subprocess.PIPE, stderr: int = subprocess.PIPE) -> tuple[int, str, str]:
    program = f"import sys\nfrom cli.terminal import *\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_DIR,
        env=BUFFERED,
        stdout=stdout,
        stderr=stderr,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout or "", done.stderr or ""


@pytest.mark.parametrize(
    "work",
    ["show('x')", "show('x' * 1_000_000)", "print('help of argparse')", "print('x'); sys.exit(0)"],
)
def test_edge_52_a_reader_that_stops_ends_a_command_quietly(work: str) -> None:
    code = f"def work():\n    {work}\n    return 0\nsys.exit(ended(work))"
    assert run(code, stdout=gone()) == (141, "", "")


def test_edge_52_boundaries_that_catch_errors_let_it_pass() -> None:
    work = "try:\n        show('x')\n    except Exception:\n        complain('caught')\n    return 0"
    assert run(f"def work():\n    {work}\nsys.exit(ended(work))", stdout=gone()) == (141, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_edge_52_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        found = run("sys.exit(ended(lambda: show('x') or 0))", stdout=full.fileno())
    assert found == (1, "", "cqrs: error: the output can't be written: No space left on device\n")


def test_edge_52_progress_that_nobody_reads_does_not_end_the_work() -> None:
    with open(gone(), "w") as stream:
        progress = Progress("redrive", 2, stream=stream)
        progress.show(1, last=True)
        progress.show(2, last=True)
        progress.end()
        with pytest.raises(OutputEnded, match="141"):
            write(stream, "")  # what was meant for nobody is still there
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_edge_52_without_output_at_all_a_command_still_runs() -> None:
    write(None, "x")
    assert run("sys.stdout = None\nsys.exit(ended(lambda: show('x') or 3))")[0] == 3


def test_edge_52_characters_that_the_terminal_lacks_are_named() -> None:
    code = "import io\nsys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='ascii')\n"
    assert run(f"{code}sys.exit(ended(lambda: show('商品') or 0))") == (0, "\\u5546\\u54c1\n", "")


@pytest.mark.parametrize(
    "command",
    [["./cqrs"], [sys.executable, "-m", "cli"], [sys.executable, "-m", "cli", "explain", "--help"]],
)
def test_edge_52_the_command_line_itself(command: list[str]) -> None:
    done = subprocess.run(command, cwd=PROJECT_DIR, env=BUFFERED, stdout=gone(), stderr=subprocess.PIPE, timeout=120)
    assert (done.returncode, done.stderr) == (141, b"")


def test_edge_51_52_a_stream_of_the_process_is_left_as_it_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    assert ended(lambda: show("a\rb") or 0) == 0  # type: ignore[func-returns-value]
    assert stream.getvalue() == "a\\rb\n"
