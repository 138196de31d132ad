"""``./cqrs tasks`` against a deployed stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main
from tests.support.pipelines import CONTEXT
from tests.support.tasks import DeployedTasks


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[DeployedTasks]:
    with DeployedTasks(tmp_path) as one:
        yield one


def test_a_failed_task_is_shown_and_retried(deployed: DeployedTasks, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.behave(lambda given: 1 / given)
    task = deployed.service.create_step_function_task("job", [1, 0, 2], CONTEXT)
    single = deployed.service.create_task("job", 5, CONTEXT)
    deployed.run()

    assert main(["tasks", "list", "--tenant", "t1"]) == 0
    text = capsys.readouterr().out
    assert [line.split()[:2] for line in text.splitlines()[3:]] == [[task.id, "FAILED"], [single.id, "COMPLETED"]] or (
        [line.split()[:2] for line in text.splitlines()[3:]] == [[single.id, "COMPLETED"], [task.id, "FAILED"]]
    )
    assert "2 of 3 done, 1 failed, 0 cancelled" in text

    assert main(["tasks", "show", single.id]) == 0
    assert "  result   0.2\n" in capsys.readouterr().out
    assert main(["tasks", "show", task.id]) == 0
    text = capsys.readouterr().out
    assert "ItemsFailed: 1 of 3 items failed, 0 were cancelled" in text
    assert "1  FAILED  ZeroDivisionError: division by zero" in text

    deployed.behave(lambda given: given)
    assert main(["tasks", "retry", task.id]) == 0
    assert "CREATED" in capsys.readouterr().out
    deployed.run()
    assert main(["tasks", "show", task.id, "--all", "--json"]) == 0
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["attempt"], answer["succeeded"]) == ("COMPLETED", 2, 3)
    assert answer["items"] == [
        {"index": 0, "status": "COMPLETED", "attempt": 1},
        {"index": 1, "status": "COMPLETED", "attempt": 2},
        {"index": 2, "status": "COMPLETED", "attempt": 1},
    ]


def test_a_running_task_is_cancelled(deployed: DeployedTasks, capsys: pytest.CaptureFixture[str]) -> None:
    deployed.behave(lambda _: deployed.scheduler.sleep(10))
    task = deployed.service.create_step_function_task("job", list(range(6)), CONTEXT)
    deployed.scheduler.run_for(15)
    assert main(["tasks", "cancel", task.id]) == 0
    assert "PROCESSING (stopping)" in capsys.readouterr().out
    deployed.run()
    assert main(["tasks", "list", "--tenant", "t1", "--type", "job", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)
    assert (answer["status"], answer["succeeded"] + answer["cancelled"]) == ("CANCELLED", 6)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["show", "TASK#t1"], "taskId: 'TASK#t1' is not allowed; expected TASK#<tenant>#<taskType>#<ulid>"),
        (["show", f"TASK#t1#job#{'0' * 26}"], "there is no such task"),
        (["retry", f"TASK#t1#job#{'0' * 26}"], "there is no such task"),
        (["list", "--tenant", "a#b"], "tenantCode: 'a#b' is not allowed"),
        (["list", "--tenant", "t1", "--limit", "101"], "limit: 101 is not allowed"),
    ],
)
def test_mistakes_are_one_line(
    deployed: DeployedTasks, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert main(["tasks", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cqrs: error: ")
    assert told in line


def test_a_finished_task_is_neither_retried_nor_cancelled(
    deployed: DeployedTasks, capsys: pytest.CaptureFixture[str]
) -> None:
    task = deployed.service.create_task("job", 1, CONTEXT)
    deployed.run()
    for action, told in (("retry", "only a FAILED task is retried"), ("cancel", "only a task without outcome")):
        assert main(["tasks", action, task.id]) == 1
        assert told in capsys.readouterr().err
