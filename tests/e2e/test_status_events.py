"""Status events on the local runtime: from the stream to a subscriber of the main topic."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from handlers.tasks.model import Task
from local.aws.model import AwsRequest, AwsResponse
from local.aws.services import error_response
from local.sources.faults import DeliveryFaults
from tests.support.deployments import Deployed
from tests.support.pipelines import CONTEXT, KEY, order
from tests.support.tasks import DeployedTasks


def events_of(deployed: Deployed, queue: str) -> list[dict[str, Any]]:
    return [json.loads(json.loads(body)["Message"]) for body in deployed.drain(queue)]


def subscribed(deployed: Deployed) -> str:
    return deployed.subscribe(deployed.runtime.outputs["mainTopicArn"], "test-status", ["command-status"])


@pytest.mark.parametrize("detail", ["full", "terminal"])
def test_ops_03_one_event_per_outcome(tmp_path: Path, detail: str) -> None:
    with Deployed(tmp_path, config={"statusDetail": detail}) as deployed:
        queue = subscribed(deployed)
        deployed.publish_versions(3)
        deployed.run()
        found = [(one["sk"], one["content"]["status"], one["content"]["attempt"]) for one in events_of(deployed, queue)]
        assert sorted(found) == [(KEY.version_sk(version), "finish:FINISHED", 1) for version in (1, 2, 3)]


def test_ops_03_all_statuses_once_and_in_order(tmp_path: Path) -> None:
    with Deployed(tmp_path, config={"statusEvents": "all"}) as deployed:
        queue = subscribed(deployed)
        deployed.publish(order(0, price=3))
        deployed.run()
        assert [one["content"]["status"] for one in events_of(deployed, queue)] == deployed.statuses(1)[1:]


def test_no_events_when_none_are_wanted(tmp_path: Path) -> None:
    with Deployed(tmp_path, config={"statusEvents": "none"}) as deployed:
        queue = subscribed(deployed)
        deployed.publish(order(0, price=3))
        deployed.run()
        assert deployed.applied_versions() == [1]
        assert events_of(deployed, queue) == []


class OutOfStock(Exception):
    pass


def refuse(command: Any) -> None:
    raise OutOfStock("none left")


def test_wf_05_a_failure_is_reported_without_attributes_or_tokens(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        queue = subscribed(deployed)
        deployed.recorder.behaviours["two"] = refuse
        deployed.publish(order(0, card="4711-secret"))
        deployed.run()
        (event,) = events_of(deployed, queue)
        assert event["content"]["status"] == "sync_data:FAILED"
        assert event["content"]["error"] == {"type": "OutOfStock", "message": "none left", "state": "sync_data"}
        text = json.dumps(event)
        assert "4711-secret" not in text
        assert "taskToken" not in text


def test_dup_01_a_repeated_record_repeats_only_the_message(tmp_path: Path) -> None:
    with Deployed(tmp_path, delivery_faults=DeliveryFaults(duplicate=1.0, duplicate_after=5.0)) as deployed:
        queue = subscribed(deployed)
        deployed.publish(order(0, price=3))
        deployed.run()
        found = events_of(deployed, queue)
        assert len(found) > 1
        assert all(one == found[0] for one in found)


def test_a_topic_that_refuses_changes_no_outcome_and_holds_back_no_start(tmp_path: Path) -> None:
    with Deployed(tmp_path) as deployed:
        calls: list[float] = []

        def denied(request: AwsRequest) -> AwsResponse:
            calls.append(deployed.scheduler.now())
            return error_response("sns", "AuthorizationError", "no", status=403)

        deployed.runtime.endpoint.replace("sns", "PublishBatch", denied)
        begin = deployed.scheduler.now()
        ends: list[float] = []
        deployed.recorder.behaviours["one"] = lambda _: ends.append(deployed.scheduler.now())
        deployed.publish_versions(2)

        def publish_third() -> None:
            deployed.publish(order(2, n=3))

        deployed.scheduler.call_later(30, publish_third)
        deployed.run()
        assert deployed.applied_versions() == [1, 2, 3]
        assert {one.status for one in deployed.executions()} == {"SUCCEEDED"}
        assert ends[-1] - begin < 60, "the third command waited for the topic"
        assert calls[-1] - begin > 60, "the topic was not tried again"
        assert deployed.alarms() == []
        failures = deployed.runtime.outputs["deadLetterQueueUrls"]["stream-failures"]
        assert len(deployed.drain(failures)) >= 1


def tasks_subscribed(deployed: DeployedTasks) -> str:
    return deployed.subscribe(
        deployed.runtime.outputs["mainTopicArn"], "test-tasks", ["task-status", "sub-task-status"]
    )


def run_a_list(deployed: DeployedTasks) -> Task:
    deployed.behave(lambda given: 1 / given)
    task = deployed.service.create_step_function_task("job", [1, 0], replace(CONTEXT, request_id="r1"))
    deployed.run()
    return task


def test_ops_03_one_event_per_outcome_of_a_task_and_its_items(tmp_path: Path) -> None:
    with DeployedTasks(tmp_path) as deployed:
        queue = tasks_subscribed(deployed)
        task = run_a_list(deployed)
        found = {one["sk"]: one for one in events_of(deployed, queue)}
        contents = {sk: one["content"] for sk, one in found.items()}
        for content in contents.values():
            content.pop("updatedAt")
    assert set(found) == {task.key.sk, task.key.item(0).sk, task.key.item(1).sk}
    item = {"taskType": "job", "attempt": 1, "taskId": task.id}
    error = {"type": "ZeroDivisionError", "message": "division by zero"}
    assert contents[task.key.item(0).sk] == {**item, "index": 0, "status": "COMPLETED"}
    assert contents[task.key.item(1).sk] == {**item, "index": 1, "status": "FAILED", "error": error}
    assert contents[task.key.sk] == {
        "taskType": "job",
        "status": "FAILED",
        "attempt": 1,
        "error": {"type": "ItemsFailed", "message": "1 of 2 items failed, 0 were cancelled"},
        "total": 2,
        "succeeded": 1,
        "failed": 1,
        "cancelled": 0,
        "requestId": "r1",
    }
    assert {one["action"] for one in found.values()} == {"task-status", "sub-task-status"}
    assert (found[task.key.sk]["id"], found[task.key.sk]["tenantCode"]) == (task.id, "t1")


def test_ops_03_all_statuses_of_a_task(tmp_path: Path) -> None:
    with DeployedTasks(tmp_path, config={"statusEvents": "all"}) as deployed:
        queue = tasks_subscribed(deployed)
        task = run_a_list(deployed)
        events = events_of(deployed, queue)
    statuses = {sk: [one["content"]["status"] for one in events if one["sk"] == sk] for sk in {e["sk"] for e in events}}
    assert statuses == {
        task.key.sk: ["QUEUED", "PROCESSING", "FAILED"],
        task.key.item(0).sk: ["PROCESSING", "COMPLETED"],
        task.key.item(1).sk: ["PROCESSING", "FAILED"],
    }


def test_no_events_of_tasks_when_none_are_wanted_but_their_alarms(tmp_path: Path) -> None:
    with DeployedTasks(tmp_path, config={"statusEvents": "none"}) as deployed:
        queue = tasks_subscribed(deployed)
        task = run_a_list(deployed)
        assert events_of(deployed, queue) == []
        assert [one["id"] for one in deployed.alarms()] == [str(task.key.item(1))]
