"""The operators' commands against the local endpoint: in this process, and as a process of its own over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main
from handlers.commands.keys import EntityKey
from handlers.store.port import COMMANDS, DATA
from local.aws.model import AwsCall
from local.runtime import PROJECT_DIR
from tests.support.deployments import Deployed
from tests.support.pipelines import KEY


class Denied:
    """Refuses some operations as IAM would."""

    def __init__(self) -> None:
        self.operations: set[str] = set()

    def before(self, call: AwsCall) -> str | None:
        return "AccessDeniedException" if call.operation in self.operations else None

    def after(self, call: AwsCall) -> None:
        """Nothing."""


class Search:
    """A target that refuses version 2 until it is repaired."""

    broken = True

    def __call__(self, command: Any) -> None:
        if self.broken and command.version == 2:
            raise RuntimeError("index is full")


@pytest.fixture
def denied() -> Denied:
    return Denied()


@pytest.fixture
def search() -> Search:
    return Search()


@pytest.fixture
def deployed(tmp_path: Path, denied: Denied, search: Search) -> Iterator[Deployed]:
    """v1 done, v2 failed in one target, v3 waits."""
    with Deployed(tmp_path, faults=denied) as deployed:
        deployed.recorder.behaviours["one"] = search
        deployed.publish_versions(3)
        deployed.scheduler.run_for(120)
        yield deployed


def rows(deployed: Deployed) -> list[dict[str, Any]]:
    return [item for table in (COMMANDS, DATA) for item in deployed.store.scan(table).items]


def test_ops_01_explain_as_table_and_as_json(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "TENANT#t1", "ORDER#o1"]) == 0
    text = capsys.readouterr().out
    lines = [line.split() for line in text.splitlines()]
    assert "read model  version 2" in text
    assert [line[:4] for line in lines if line and line[0] in "123"] == [
        ["1", "DONE", "finish:FINISHED", "1"],
        ["2", "FAILED", "sync_data:FAILED", "1"],
        ["3", "WAITING", "wait_prev_command:STARTED", "1"],
    ]
    assert "RuntimeError: index is full" in text
    assert "@2 FAILED" in text
    assert "What to do" in text
    assert "  @2: redrive TENANT#t1 ORDER#o1@2 when the cause is repaired, or skip TENANT#t1 ORDER#o1@2" in text

    assert main(["explain", "TENANT#t1#ORDER#o1@0000000003", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    (version,) = answer["versions"]
    assert version["blockedBy"] == {"next": 2, "root": 2, "rootSituation": "FAILED"}
    assert version["status"] == "wait_prev_command:STARTED"
    assert answer["whatToDo"][0].startswith("@2: redrive")


def test_redrive_by_key_in_three_ways(deployed: Deployed, search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    before = rows(deployed)
    assert main(["redrive", "TENANT#t1 ORDER#o1@2", "--dry-run"]) == 0
    assert "dry run: nothing was changed" in capsys.readouterr().out
    assert rows(deployed) == before

    search.broken = False
    assert main(["redrive", "TENANT#t1 ORDER#o1@2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["outcomes"][0] == {"key": "TENANT#t1 ORDER#o1@2", "outcome": "REDRIVEN", "attempt": 2, "note": ""}
    assert answer["counts"] == {"REDRIVEN": 1, "WAIT_RESTARTED": 1}
    deployed.scheduler.run_for(120)
    assert [deployed.row(version)["status"] for version in (1, 2, 3)] == ["finish:FINISHED"] * 3

    after = rows(deployed)
    assert main(["redrive", "TENANT#t1 ORDER#o1@2"]) == 1
    assert main(["redrive", "TENANT#t1 ORDER#o1"]) == 1
    output = capsys.readouterr()
    assert (output.out, output.err.splitlines()) == (
        "",
        [
            "cqrs: error: TENANT#t1 ORDER#o1@2: it is finish:FINISHED: nothing changed",
            "cqrs: error: TENANT#t1 ORDER#o1@3: it is finish:FINISHED: nothing changed",
        ],
    )
    assert rows(deployed) == after


def test_ops_02_redrive_since(deployed: Deployed, search: Search, capsys: pytest.CaptureFixture[str]) -> None:
    for code in ("a", "b"):
        deployed.publish_versions(2, code=code)
    deployed.scheduler.run_for(120)
    assert main(["redrive", "--since", "2099-01-01T00:00:00Z"]) == 0
    assert capsys.readouterr().out == "no failed command in this selection\n"
    search.broken = False
    assert main(["redrive", "--since", "2026-01-01T00:00:00Z", "--status", "FAILED", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["counts"] == {"REDRIVEN": 3, "WAIT_RESTARTED": 1}
    deployed.scheduler.run_for(120)
    for code in ("o1", "a", "b"):
        assert deployed.row(2, EntityKey("TENANT", "t1", "ORDER", code))["status"] == "finish:FINISHED"


def test_ord_10_skip_by_command(deployed: Deployed, capsys: pytest.CaptureFixture[str]) -> None:
    before = rows(deployed)
    assert main(["skip", "TENANT#t1 ORDER#o1@2", "--dry-run"]) == 0
    assert main(["skip", "TENANT#t1 ORDER#o1@3"]) == 1
    assert main(["skip", "TENANT#t1 ORDER#o1"]) == 1
    error = capsys.readouterr().err
    assert "@3: not skipped, it is not FAILED but wait_prev_command:STARTED" in error
    assert "name the version to skip" in error
    assert rows(deployed) == before

    assert main(["skip", "TENANT#t1 ORDER#o1@2"]) == 0
    text = capsys.readouterr().out
    assert "data (APPLIED), three (APPLIED), two (APPLIED)" in text
    assert "woken" in text
    deployed.scheduler.run_for(120)
    assert [deployed.row(version)["status"] for version in (2, 3)] == ["skipped", "finish:FINISHED"]


WRONG_INPUT = [
    (["explain", "TENANT#t1 ORDER#nope"], "TENANT#t1 ORDER#nope: unknown key, neither a command nor a data row"),
    (["redrive", "TENANT#t1 ORDER#o1@9"], "TENANT#t1 ORDER#o1@9: unknown key, this version is not in the log"),
    (["redrive", "TENANT#t1 ORDER#o1@1"], "TENANT#t1 ORDER#o1@1: it is finish:FINISHED: nothing changed"),
    (["skip", "TENANT#t1 ORDER#o1@1"], "TENANT#t1 ORDER#o1@1: not skipped, it is finished (finish:FINISHED)"),
    (["skip", "TENANT#t1 ORDER#o1@9"], "TENANT#t1 ORDER#o1@9: unknown key, this version is not in the log"),
    (["explain", "o1"], "key: 'o1' is not allowed; expected <KIND>#<tenant> <TYPE>#<code> or"),
    (["explain", "TENANT#t1 ORDER#o1@x"], "key: 'TENANT#t1 ORDER#o1@x' is not allowed"),
    (["explain", "TENANT#t1 ORDER#o1", "--stack", "nope"], "its tables (cqrs-nope-commands, cqrs-nope-data,"),
    (["redrive", "TENANT#t1 ORDER#o1", "--stack", "nope"], "function cqrs-nope-events does not exist"),
    (["resync", "one", "--stack", "nope"], "function cqrs-nope-states does not exist"),
    (["explain", "TENANT#t1 ORDER#o1", "--stack", "a b"], "--stack 'a b' is not a name"),
    (["explain", "TENANT#t1 ORDER#o1", "--endpoint", "localhost"], "--endpoint 'localhost' is not a URL"),
    (["explain", "TENANT#t1 ORDER#o1", "--profile", "none"], "profile (none) could not be found"),
    (["redrive"], "give either a KEY, or a selection"),
    (["redrive", "TENANT#t1 ORDER#o1", "--since", "1h"], "give either a KEY, or a selection"),
    (["redrive", "--since", "yesterday"], "--since 'yesterday' is neither a time with its zone"),
    (["redrive", "--since", "2026-01-01T00:00:00"], "is neither a time with its zone"),
    (["redrive", "--status", "DONE"], "status: 'DONE' is not allowed; expected FAILED or one of"),
]
NO_PERMISSION = [
    (["explain", "TENANT#t1 ORDER#o1"], "GetItem"),
    (["redrive", "TENANT#t1 ORDER#o1"], "UpdateItem"),
    (["redrive", "--since", "3d"], "Scan"),
    (["redrive", "TENANT#t1 ORDER#o1"], "GetFunctionConfiguration"),
    (["skip", "TENANT#t1 ORDER#o1@2"], "UpdateItem"),
]


def test_wrong_input_and_missing_permissions_are_one_line_and_change_nothing(
    deployed: Deployed, denied: Denied, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rows(deployed)

    def error_of(arguments: list[str]) -> str:
        assert main(arguments) == 1
        output = capsys.readouterr()
        assert output.out == ""
        (error,) = [one for one in output.err.splitlines() if one]
        return error

    for arguments, line in WRONG_INPUT:
        error = error_of(arguments)
        assert error.startswith("cqrs: error: ")
        assert line in error
    for arguments, operation in NO_PERMISSION:
        denied.operations = {operation}
        error = error_of(arguments)
        denied.operations = set()
        assert error.startswith("cqrs: error: no permission for ")
        assert operation in error
    assert rows(deployed) == before


def test_a_start_that_is_forbidden_is_reported_and_left_to_the_sweeper(
    deployed: Deployed, denied: Denied, capsys: pytest.CaptureFixture[str]
) -> None:
    denied.operations = {"StartExecution"}
    assert main(["redrive", "TENANT#t1 ORDER#o1@2"]) == 1
    assert "not started yet, the sweeper starts it: ClientError" in capsys.readouterr().out
    row = deployed.row(2)
    assert (row["status"], row["attempt"]) == ("publish:ACCEPTED", 2)
    assert "openShard" in row


def test_no_credentials(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    assert main(["explain", "TENANT#t1 ORDER#o1"]) == 1
    assert "no AWS region; give --region or set AWS_REGION" in capsys.readouterr().err
    assert main(["explain", "TENANT#t1 ORDER#o1", "--region", "eu-west-1"]) == 1
    assert "no AWS credentials (Unable to locate credentials)" in capsys.readouterr().err


def test_wrong_arguments_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["explain"], ["resync", "one", "--rate", "fast"], ["redrive", "--limit", "0"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("cqrs: error: ")


#: What the tests below don't provoke: an alarm that is not out, a parked successor.
RARE = {"redrive": {"sns:Publish"}, "skip": {"states:StartExecution"}}


def documented(command: str) -> set[str]:
    page = (PROJECT_DIR / "docs" / "operations.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| {command} \| (.*) \|$", page, re.MULTILINE)
    return set(re.findall(r"`([^`]+)`", row))


def test_the_documented_permissions_are_those_that_are_used(
    deployed: Deployed, search: Search, capsys: pytest.CaptureFixture[str]
) -> None:
    used: set[str] = set()
    deployed.runtime.endpoint.on_call(lambda call: used.update(action for action, _ in call.access))

    def actions_of(*commands: list[str]) -> set[str]:
        used.clear()
        assert [main(arguments) for arguments in commands] == [0] * len(commands)
        return set(used)

    assert actions_of(["explain", str(KEY)], ["explain", f"{KEY}@9"]) == documented("explain")
    redriven = actions_of(["redrive", f"{KEY}@2"])
    deployed.scheduler.run_for(120)
    assert redriven | actions_of(["redrive", "--since", "2026-01-01T00:00:00Z"]) | RARE["redrive"] == documented(
        "redrive"
    )
    deployed.scheduler.run_for(120)
    assert actions_of(["skip", f"{KEY}@2"]) | RARE["skip"] == documented("skip")


# -- as a process -----------------------------------------------------------------------------------


def test_over_http_without_credentials_and_without_the_local_runtime(deployed: Deployed) -> None:
    server = deployed.runtime.endpoint.serve_http(0)
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    code = (
        "import sys\n"
        "from cli.__main__ import main\n"
        "code = main(sys.argv[1:])\n"
        "heavy = {'boto3', 'moto', 'pulumi', 'local.runtime', 'infra'} & set(sys.modules)\n"
        "sys.exit(f'imports {heavy}' if heavy else code)\n"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, *arguments, "--endpoint", server.url]
        return subprocess.run(
            command, env=env, cwd=PROJECT_DIR, capture_output=True, text=True, check=False, timeout=60
        )

    explained = run("explain", str(KEY))
    assert (explained.returncode, explained.stderr) == (0, "")
    assert "sync_data:FAILED" in explained.stdout
    redriven = run("redrive", f"{KEY}@2")
    assert (redriven.returncode, redriven.stderr) == (0, "")
    assert deployed.row(2)["attempt"] == 2
    server.stop()
    gone = run("explain", str(KEY))
    assert gone.returncode == 1
    assert "can't be reached (EndpointConnectionError); for a local stack: is `./cqrs serve` running?" in gone.stderr
