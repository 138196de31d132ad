"""Tables that publish synchronously, on the deployed program: outcomes, events, and DynamoDB calls per row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.commands.keys import EntityKey
from local.aws.model import AwsCall
from tests.support.deployments import RECORDING
from tests.support.imports import DeployedImports

#: DynamoDB calls per row, from the loader's put to the end of everything that follows.
LIMITS = {"notes": 5, "cards": 10}
ROWS = 50


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[DeployedImports]:
    config = {"handlerModules": json.dumps([RECORDING])}
    with DeployedImports(tmp_path, config=config) as one:
        yield one


def rows(name: str, count: int = ROWS) -> bytes:
    return ("code,name\n" + "".join(f"N{number},{name}\n" for number in range(count))).encode()


class Counted:
    """DynamoDB calls of functions by operation, while it watches."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def before(self, call: AwsCall) -> str | None:
        if call.caller is not None and call.service == "dynamodb":
            self.calls[f"{call.caller.rpartition('-')[2]}.{call.operation}"] += 1
        return None

    def after(self, call: AwsCall) -> None:
        pass


@pytest.mark.parametrize("table", sorted(LIMITS))
def test_imp_03_04_sync_rows_and_their_dynamodb_calls(deployed: DeployedImports, table: str) -> None:
    figures = []
    for version, name in enumerate(("a", "b"), start=1):
        deployed.runtime.endpoint.faults = counted = Counted()
        job = deployed.import_file(rows(name), table=table)
        assert (job.status, job.counts.applied, job.counts.failed) == ("COMPLETED", ROWS, 0)
        figures.append(sum(counted.calls.values()) / ROWS)
        print(f"{table}, version {version}: {figures[-1]:.2f} DynamoDB calls a row: {dict(counted.calls)}")
        row = deployed.data(EntityKey("TENANT", "t1", table.upper()[:-1], "N7"))
        assert (row["version"], row["name"]) == (version, name)
    assert max(figures) <= LIMITS[table], figures
    kept = list(deployed.history(EntityKey("TENANT", "t1", table.upper()[:-1], "N7")))
    assert [(image["version"], image["name"]) for image in kept] == [(1, "a")]
    again = deployed.import_file(rows("b"), table=table)
    assert (again.counts.unchanged, again.counts.applied) == (ROWS, 0)
    if table == "cards":
        assert Counter(version for target, _, version in deployed.recorder.calls) == {1: ROWS, 2: ROWS}
    assert deployed.executions() == []


def test_commands_that_are_applied_at_once_are_reported(deployed: DeployedImports) -> None:
    url = deployed.subscribe(deployed.runtime.outputs["mainTopicArn"], "told", ["command-status"])
    for table in LIMITS:
        deployed.import_file(rows("a", 3), table=table)
    told = [json.loads(json.loads(body)["Message"]) for body in deployed.drain(url)]
    assert Counter(one["content"]["status"] for one in told) == {"finish:FINISHED": 6}
    assert len({one["id"] for one in told}) == 6


def test_imp_15_sync_a_target_that_refuses(deployed: DeployedImports) -> None:
    deployed.recorder.behaviours["card"] = lambda command: 1 / 0 if command.code == "N1" else None
    job = deployed.import_file(rows("a", 4), table="cards")
    assert (job.status, job.counts.applied, job.counts.failed) == ("FAILED", 3, 1)
    assert sorted(one["id"].partition("#")[0] for one in deployed.alarms()) == ["CSV_IMPORT", "TENANT"]
    deployed.recorder.behaviours.clear()


def test_g1_sync_a_consumer_that_dies_between_its_transactions_is_taken_over(deployed: DeployedImports) -> None:
    """The commands' sweeper ends the command, and its event the row."""
    died: list[str] = []

    def die(command: Any) -> None:
        died.append(command.code)
        deployed.scheduler.sleep(3600)  # beyond the function's timeout and the claim

    deployed.recorder.behaviours["card"] = lambda command: die(command) if not died else None
    job = deployed.begin_file(rows("a", 2), table="cards")
    deployed.scheduler.run_for(2 * 3600)
    deployed.run()
    ended = deployed.job(job)
    assert (ended.status, ended.counts.applied) == ("COMPLETED", 2)
    assert len(died) == 1
    assert len(deployed.applied_versions(EntityKey("TENANT", "t1", "CARD", died[0]))) == 1
    deployed.recorder.behaviours.clear()
