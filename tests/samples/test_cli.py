"""LOC scenarios of the command line: ``./cqrs`` as a subprocess in a clean copy of the repository.

The environment is shared by a link. The same from a fresh clone with a fresh environment, by hand:
``git clone <repository> fresh && cd fresh && time ./cqrs demo`` (must end within five minutes, installation included).
"""

from __future__ import annotations

import csv
import itertools
import json
import re
import signal
import subprocess
import time
import tomllib
import zlib
from collections import Counter
from pathlib import Path

import pytest

from cli.__main__ import main
from cli.commands import COMMANDS
from cli.samples.airports import REVISED
from handlers.domain.failing import ONE_IN
from local.testing.copies import checkout
from tests.support.checkout import Cli

STOP_SECONDS = 2.0


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


DEV = "Pulumi.dev.yaml"
MACHINE = "infra/state_machines/command.asl.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("clean") / "cqrs")


def numbers(output: str, title: str) -> dict[str, int]:
    """A table of the summary: first column to the number in the second."""
    _, _, rest = output.partition(f"{title}\n")
    assert rest, f"no table {title!r} in {output}"
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    rows = (line.split() for line in lines)
    return {row[0]: int(row[1].replace(",", "")) for row in rows}


def facts(output: str) -> dict[str, str]:
    """The last table of the summary."""
    lines = output.partition("\nRun\n---\n")[2].partition("\n\n")[0].splitlines()
    return dict(re.split(r"\s{2,}", line.strip()) for line in lines)


def test_loc_01_demo_from_a_clean_copy(folder: Path) -> None:
    with Cli(folder, "demo", "--rows", "25") as cli:
        assert cli.end() == 0, cli.errors
    assert numbers(cli.output, "Commands by final status") == {"finish:FINISHED": 35}
    assert numbers(cli.output, "Airports in the read model, by version") == {"1": 20, "3": 5}
    found = facts(cli.output)
    assert found["order violations"] == "0"
    assert found["alarms"] == "0"
    assert float(found["commands per second"]) > 0
    assert cli.output.rstrip().splitlines()[-1].startswith("All commands were applied, in order.")
    assert cli.errors.startswith("deploying stack dev on the embedded runtime\ndeployed ")
    # plain lines where there is no terminal, and nothing else
    assert "publish: 35 of 35" in cli.errors
    assert "apply: 35 of 35" in cli.errors
    assert "\r" not in cli.errors
    assert "\x1b" not in cli.errors
    assert "task: 25 of 25" in cli.errors
    assert "items                   25 of 25 succeeded, 0 failed" in cli.output
    assert "import both in a ZIP: 50 of 50" in cli.errors
    imports = re.findall(r"COMPLETED +(\d+) +(\d+) +(\d+) +0 ", cli.output.partition("\nImports: ")[2])
    assert imports == [("25", "25", "0"), ("25", "5", "20"), ("50", "10", "40")]
    told = r"(deploy|publish: |apply: |task: |import [\w. ]+: )"
    assert [line for line in cli.errors.splitlines() if not re.match(told, line)] == []


@pytest.mark.parametrize("workflow", ["STANDARD", "EXPRESS", "INLINE"])
def test_loc_01_demo_with_a_failing_handler_on_a_terminal(tmp_path: Path, workflow: str) -> None:
    folder = checkout(tmp_path / "cqrs")
    edit(folder / DEV, "config:", f"config:\n  cqrs:commandWorkflow: {workflow}")
    rows = 26
    with (folder / "data" / "airports.csv").open(encoding="utf-8", newline="") as file:
        codes = [row["icao"] for row in itertools.islice(csv.DictReader(file), rows)]
    fails = [index for index, code in enumerate(codes) if zlib.crc32(code.encode()) % ONE_IN == 0]
    waits = 2 * sum(index % REVISED == 0 for index in fails)
    assert fails, "take more rows: none of these fails"
    assert waits, "take more rows: none of the failing ones has later versions"
    with Cli(folder, "demo", "--rows", str(rows), "--fail", terminal=True) as cli:
        assert cli.end() == 0, cli.errors
    total = rows + 2 * len(range(0, rows, REVISED))
    assert numbers(cli.output, "Commands by final status") == {
        "finish:FINISHED": total - len(fails) - waits,
        "sync_data:FAILED": len(fails),
        "wait_prev_command:STARTED": waits,
    }
    found = facts(cli.output)
    assert found["alarms"] == str(len(fails))
    assert found["order violations"] == "0"
    shown = cli.output.partition("as subscribers of the alarm topic get it\n")[2].partition("\n\n")[0]
    alarm = json.loads(shown)
    assert alarm["action"] == "sfn-alarm"
    assert alarm["content"]["errorMessage"] == "sync_data failed: SearchIsDown, target failing-search"
    assert "As expected: " in cli.output
    # a bar on a terminal
    assert "\r\x1b[Kpublish [" in cli.errors
    assert f"\r\x1b[Kapply [{'#' * 10}" in cli.errors
    assert re.search(rf"apply \[[#.]{{30}}\] \d+ of {total}", cli.errors)


@pytest.mark.parametrize(
    ("arguments", "phase", "number"),
    [
        (("demo", "--rows", "3000"), "start", signal.SIGINT),
        (("demo", "--rows", "3000"), "deploying stack", signal.SIGTERM),
        (("demo", "--rows", "3000"), "publish [#", signal.SIGINT),
        (("demo", "--rows", "200"), "apply [#", signal.SIGINT),
        (("demo", "--rows", "200"), "apply [#", signal.SIGTERM),
        (("serve", "--port", "0"), "deploying stack", signal.SIGINT),
        (("serve", "--port", "0"), "serving on", signal.SIGINT),
        (("serve", "--port", "0"), "serving on", signal.SIGTERM),
    ],
)
def test_loc_06_signals_stop_it_at_any_time(
    folder: Path, tmp_path: Path, arguments: tuple[str, ...], phase: str, number: signal.Signals
) -> None:
    with Cli(folder, *arguments, terminal=True, env={"TMPDIR": str(tmp_path)}) as cli:
        if phase == "start":
            cli.wait_for_python()
        else:
            cli.wait_for(phase)
        begin = time.monotonic()
        cli.process.send_signal(number)
        code = cli.end()
        seconds = time.monotonic() - begin
        assert code == {signal.SIGINT: 130, signal.SIGTERM: 143}[number], cli.errors
        assert seconds < STOP_SECONDS
        assert not cli.is_anything_left()
    assert "Traceback" not in cli.errors
    assert cli.errors.splitlines()[-1] == "cqrs: stopped"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "before", "after", "line"),
    [
        (
            DEV,
            "config:",
            "config:\n  cqrs:waitPollSeconds: 5",
            "cqrs:waitPollSeconds: 5 is not allowed; expected a whole number from 60 to 86400",
        ),
        (
            DEV,
            "config:",
            "config:\n  cqrs:waitPollSecond: 60",
            "cqrs:waitPollSecond is not a known key; did you mean cqrs:waitPollSeconds?",
        ),
        (
            DEV,
            "[handlers.domain.orders, handlers.domain.airports]",
            "[handlers.domain.absent]",
            "cqrs:handlerModules: module 'handlers.domain.absent' does not exist; expected one in handlers/domain, "
            "cqrs:applicationPackages or a package of handlers/requirements.txt",
        ),
        (DEV, "config:", "config: [", "Pulumi.dev.yaml is not YAML: "),
        (
            "handlers/domain/orders.py",
            "class OrderSummary:",
            "class OrderSummary",
            "module 'handlers.domain.orders' has a syntax error (line ",
        ),
        (MACHINE, '"Type": "Choice"', '"Type": "Chioce"', "Chioce"),
        (MACHINE, '"TimeoutSeconds": 60', '"TimeoutSecond": 60', "TimeoutSecond"),
        (MACHINE, "${StatesFunctionArn}", "${WorkflowArn}", "WorkflowArn"),
    ],
    ids=[
        "wrong value",
        "unknown key",
        "missing module",
        "no YAML",
        "syntax error",
        "unknown state type",
        "unknown field",
        "unknown placeholder",
    ],
)
def test_bad_input_is_one_clear_line(
    folder: Path, tmp_path: Path, file: str, before: str, after: str, line: str
) -> None:
    kept = (folder / file).read_text(encoding="utf-8")
    edit(folder / file, before, after)
    # The demo brings modules of its own.
    command = ("serve", "--port", "0") if "handlers.domain.absent" in line else ("demo", "--rows", "1")
    try:
        with Cli(folder, *command, env={"TMPDIR": str(tmp_path)}) as cli:
            assert cli.end() == 1
            assert not cli.is_anything_left()
    finally:
        (folder / file).write_text(kept, encoding="utf-8")
    assert cli.output == ""
    (error,) = [one for one in cli.errors.splitlines() if not one.startswith("deploying stack")]
    assert error.startswith("cqrs: error: ")
    assert line in error
    assert list(tmp_path.iterdir()) == []


def test_unknown_stack(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "0", "--stack", "nowhere"]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "cqrs: error: unknown stack 'nowhere'; stacks: dev, prod"


def test_wrong_usage_is_one_clear_line(folder: Path) -> None:
    arguments = ["./cqrs", "demo", "--rows", "many"]
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    line = "cqrs: error: argument --rows: 'many' is not a whole number from 1 to 28,298"
    assert_refused(done.returncode, done.stdout, done.stderr, line)
    done = subprocess.run(["./cqrs", "frobnicate"], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert_refused(done.returncode, done.stdout, done.stderr, "cqrs: error: unknown command 'frobnicate'; known: ")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["demo", "--rows", "0"], "cqrs: error: argument --rows: '0' is not a whole number from 1 to 28,298"),
        (["demo", "--row", "5"], "cqrs: error: unrecognized arguments: --row 5 (see ./cqrs demo --help)"),
        (["serve", "--port", "70000"], "cqrs: error: argument --port: '70000' is not a port"),
    ],
)
def test_each_wrong_argument_is_one_clear_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    told = capsys.readouterr()
    assert_refused(ended.value.code, told.out, told.err, line)


def assert_refused(code: object, output: str, errors: str, line: str) -> None:
    assert (code, output) == (2, "")
    (error,) = errors.splitlines()
    assert error.startswith(line)


def test_the_version_is_that_of_the_project(folder: Path) -> None:
    done = subprocess.run(["./cqrs", "--version"], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert done.stdout == f"cqrs {project['version']}\n"


def test_help_names_every_command(folder: Path) -> None:
    done = subprocess.run(["./cqrs"], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    named = re.findall(r"^  \./cqrs (\w+)", done.stdout, re.MULTILINE)
    assert Counter(named) == Counter(list(COMMANDS))
