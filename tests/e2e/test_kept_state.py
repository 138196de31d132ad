"""APP-07, in virtual time: whatever the state on disk was when the process ended, nothing accepted is lost.

The folder is copied before some calls of a run that is going on; each copy is what a process killed there leaves.
Processes are really killed in ``test_serve_data``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from contract.objects import IMPORTS
from handlers import Approvals, CommandInput
from handlers.commands.model import Command
from handlers.imports.jobs.model import ImportJob
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from handlers.tasks.model import Task
from local.aws.address import served_at
from local.aws.clients import client
from local.kept.folder import FORMAT, DataFolder, FolderError
from local.runtime import LocalRuntime
from local.scheduler import VIRTUAL_EPOCH
from local.states.running.executions import RUNNING, SUCCEEDED
from local.testing import ApplicationTest
from tests.support.kept import Copies, KeptApplication
from tests.support.projects import shared_project

MODULES = [f"handlers.domain.{name}" for name in ("orders", "airports", "three_steps", "approval")]
HEADER = "icao,name,country,lat,lon,elevation\n"
ROWS = 12
#: Calls that the run below makes, about; a copy is taken before some of them.
CALLS = 900
MINUTE = 60.0
#: For so long nothing ran. Longer than the visibility of messages, shorter than the import's own time.
PAUSE = 8 * 60 * MINUTE


@dataclass
class Accepted:
    """What was accepted until now."""

    commands: list[Command] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    imports: list[ImportJob] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    def copy(self) -> Accepted:
        return replace(self, **{name: list(value) for name, value in vars(self).items()})


def order(number: int, version: int = 0) -> CommandInput:
    return CommandInput("ORDER", f"o{number}", "An order", {"lines": [{"quantity": version + 1, "price": 5}]}, version)


def work(app: ApplicationTest, accepted: Accepted) -> None:
    """Something of everything, all of it under way at once."""
    for number in range(4):
        for version in range(3):
            command = app.publish(order(number, version))
            assert command is not None
            accepted.commands.append(command)
    rows = "".join(f"L{n:03},Airport {n},CH,47.{n},8.5,{n}\n" for n in range(ROWS))
    bucket, key = app.runtime.outputs["bucketName"], f"{IMPORTS}t1/airports.csv"
    client("s3", "us-east-1").put_object(Bucket=bucket, Key=key, Body=(HEADER + rows).encode())
    accepted.imports.append(app._imports.create_csv_import("airports", bucket, key, app.context, mode="STEP_FUNCTION"))
    accepted.tasks.append(app._tasks.create_step_function_task("airport-distances", ["L001", "L002"], app.context))
    given = {"tenantCode": "t1", "requestId": "r1", "subject": "s", "requestedBy": "me"}
    accepted.waiting.append(workflows(app).start("approval", given, "r1"))
    app.run_for(2 * MINUTE)


def workflows(app: ApplicationTest) -> StepFunctionsWorkflows:
    arns = app.runtime.outputs["customStateMachineArns"]
    return StepFunctionsWorkflows(lambda: client("stepfunctions", "us-east-1"), arns)


def check(app: ApplicationTest, accepted: Accepted) -> None:
    """All that was accepted has ended as it should, and what waits for somebody still does."""
    for command in accepted.commands:
        version = command.version
        assert app.outcome("ORDER", command.code, version) == "APPLIED", (command.code, version)
    for one in accepted.imports:
        job = app._imports.get_import(one.id, app.context)
        assert (job.status, job.counts.total, job.counts.succeeded) == ("COMPLETED", ROWS, ROWS)
    for given in accepted.tasks:
        task = app._tasks.get_task(given.id, app.context)
        assert (task.status, task.succeeded + task.failed) in (("COMPLETED", 2), ("FAILED", 2))
    for arn in accepted.waiting:
        execution = app.runtime.executions.describe_execution(arn)
        assert execution.status == RUNNING
        approvals = Approvals(app.store, app.scheduler, workflows(app))
        approvals.approve("approval", "r1", replace(app.context, user_id="somebody else"))
        app.run_for(MINUTE)
        assert execution.status == SUCCEEDED


def killed_at(tmp_path: Path, moments: list[int]) -> None:
    accepted = Accepted()
    copies = Copies(tmp_path / "data", tmp_path / "copies", moments, accepted.copy)
    with KeptApplication(MODULES, tmp_path / "data", faults=copies) as app:
        work(app, accepted)
        end = app.scheduler.now() - VIRTUAL_EPOCH
    assert len(copies.taken) == len(moments), f"there were {copies.calls} calls"
    for copy, known in [*copies.taken, (tmp_path / "data", accepted)]:
        assert isinstance(known, Accepted)
        with KeptApplication(MODULES, copy, opened_after=end + PAUSE) as app:
            app.run_for(40 * MINUTE)
            check(app, known)


def test_app_07_killed_at_any_call(tmp_path: Path) -> None:
    killed_at(tmp_path, sorted(random.Random(7).sample(range(1, CALLS), 1)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_app_07_killed_at_many_calls(tmp_path: Path, seed: int) -> None:
    killed_at(tmp_path, sorted(random.Random(seed).sample(range(1, CALLS), 20)))


def test_app_07_the_folder_belongs_to_one_process_one_stack_and_one_version(tmp_path: Path) -> None:
    dev = {"stack": "dev"}
    first = DataFolder(tmp_path, dev)
    with pytest.raises(FolderError, match="in use by another"):
        DataFolder(tmp_path, dev)
    first.close()
    with pytest.raises(FolderError, match=r'has the state of \{"stack": "dev"\}, not of \{"stack": "prod"\}'):
        DataFolder(tmp_path, {"stack": "prod"})
    again = DataFolder(tmp_path, dev)
    again.journal.put("folder", "format", FORMAT + 1)
    again.close()
    with pytest.raises(FolderError, match=f"has format {FORMAT + 1}, this version reads {FORMAT}"):
        DataFolder(tmp_path, dev)
    (tmp_path / "state.sqlite").write_text("something else, and long enough to be no empty database" * 100)
    with pytest.raises(FolderError, match="can't be read"):
        DataFolder(tmp_path, dev)


def test_app_07_a_refused_folder_leaves_no_port_behind(tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_text("something else, and long enough to be no empty database" * 100)
    with pytest.raises(FolderError, match="can't be read"):
        LocalRuntime(project_dir=shared_project(), data=tmp_path, port=0)
    assert served_at() is None
