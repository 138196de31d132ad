"""TASK-05 at its upper end: 1,000 items, bounded concurrency, constant work per item."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from handlers.tasks.model import MAX_ITEMS
from tests.support.pipelines import CONTEXT
from tests.support.tasks import DeployedTasks, check_images

CONCURRENCY = 10
MOST_SECONDS = 60


def run(deployed: DeployedTasks, count: int) -> float:
    """DynamoDB calls of the functions per item."""
    deployed.recorder.tasks.clear()
    deployed.recorder.most_at_once = 0
    before = calls(deployed)
    task = deployed.service.create_step_function_task("job", list(range(count)), CONTEXT, max_concurrency=CONCURRENCY)
    created = calls(deployed)
    deployed.run()
    done = deployed.task(task)
    assert (done.status, done.succeeded, done.failed) == ("COMPLETED", count, 0)
    assert sorted(given for given, _ in deployed.recorder.tasks) == list(range(count))
    assert deployed.recorder.most_at_once == CONCURRENCY
    assert created - before == count // 50 + 1  # the items, fifty a transaction, and the task
    return (calls(deployed) - created) / count


def calls(deployed: DeployedTasks) -> int:
    made = deployed.runtime.endpoint.calls
    return sum(number for (_, service, _), number in made.items() if service == "dynamodb")


@pytest.mark.slow
def test_task_05_a_thousand_items(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with DeployedTasks(tmp_path) as deployed:
        deployed.behave(lambda _: deployed.scheduler.sleep(2))
        few = run(deployed, 100)
        begin = time.process_time()
        many = run(deployed, MAX_ITEMS)
        seconds = time.process_time() - begin
        images = deployed.images("tasks")
    check_images(images)
    with capsys.disabled():
        print(f"\n{MAX_ITEMS} items: {seconds:.1f} s of CPU; DynamoDB calls per item: {many:.3f}, with 100: {few:.3f}")
    assert many <= few < 3.2  # read, claim, settle; the rest is the task's own
    assert seconds < MOST_SECONDS
