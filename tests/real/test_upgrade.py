"""ENG-10: a stack of an earlier commit becomes one of this commit, with everything that is on its way."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.functions.model import InvokeResult, TooManyRequests
from tests.real.world import World, eventually, publish

pytestmark = pytest.mark.real
#: The last tag, once there is one; until then a commit from before the engine was met, whose names of resources are
#: today's (earlier ones name two of the functions otherwise, which makes others of them).
EARLIER = "8fc23c6c30fe894a1e92a1e0489b7b37199abae7"
TABLES = ("commands", "data", "history", "import_tmp", "tasks")


def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *arguments], cwd=World.source, capture_output=True, check=False)


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the earlier commit."""
    tag = git("describe", "--tags", "--abbrev=0").stdout.decode().strip()
    commit = tag or EARLIER
    archive = git("archive", commit, "__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml", "contract", "handlers", "infra")
    if archive.returncode != 0:
        pytest.skip(f"commit {commit} is not in this clone: {archive.stderr.decode().strip()}")
    folder = tmp_path_factory.mktemp("earlier")
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


class Held:
    """Refuses every state of the command machine, as Lambda does when it is throttled; the machine tries again."""

    def __init__(self) -> None:
        self.holds = True
        self.refused = 0

    def __call__(self, function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
        if self.holds and function == "cqrs-dev-states":
            self.refused += 1
            raise TooManyRequests("held by the test")
        return proceed(payload)


def test_eng_10_tables_data_and_unfinished_commands_stay(world: World, earlier: Path) -> None:
    old = world.program("program", earlier, ("Pulumi.dev.yaml",))
    old.init("dev")
    old.up("dev")
    before = old.outputs("dev")
    data: Any = boto3.resource("dynamodb", region_name="us-east-1").Table(before["dataTableName"])

    def versions() -> dict[str, int]:
        rows = [row for row in data.scan()["Items"] if row["pk"] == "TENANT#acme"]
        return {row["sk"].removeprefix("ORDER#"): int(row["version"]) for row in rows}

    publish(before, "done", versions=2)
    eventually(lambda: versions() == {"done": 2})
    held = Held()
    world.engine.runtime.host.interceptors.append(held)
    publish(before, "open", versions=3)
    eventually(lambda: held.refused > 0)

    new = world.program("program", World.source, ("Pulumi.dev.yaml",))
    changes = new.changes("dev")
    replaced = [one for one, change in changes.items() if change["replace"] or "replace" in change["op"]]
    assert [one for one in replaced if one[0].split("/")[0] in ("aws:dynamodb", "aws:s3", "aws:sqs", "aws:sns")] == []
    deleted = [one for one, change in changes.items() if change["op"] == "delete"]
    assert deleted == []
    new.up("dev")
    after = new.outputs("dev")
    for table in TABLES:
        assert after[f"{table}TableArn"] == before[f"{table}TableArn"]
    assert after["commandsStreamArn"] == before["commandsStreamArn"]
    assert versions() == {"done": 2}

    held.holds = False
    eventually(lambda: versions() == {"done": 2, "open": 3})
    publish(after, "new", versions=1)
    eventually(lambda: versions() == {"done": 2, "open": 3, "new": 1})
