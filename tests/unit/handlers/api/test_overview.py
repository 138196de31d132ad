"""What a page shows of a stack: what is open, what there is, and how a version's execution went."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from handlers.core.errors import TransientThrottle
from handlers.operations.alarms import AlarmState, CloudWatchAlarms
from handlers.operations.overview import SHARD_ROWS, open_commands, stored_types
from handlers.state_machines.histories import ExecutionHistory, StateVisit, StepFunctionsHistories
from handlers.store.memory import MemoryTableStore
from tests.support.api import WORKFLOWS, ApiWorld, token
from tests.support.operations import fail
from tests.support.pipelines import MACHINE, order

ARN = "arn:aws:states:us-east-1:123456789012:execution:m:e"


@pytest.fixture
def api() -> ApiWorld:
    return ApiWorld()


def test_nothing_is_open(api: ApiWorld) -> None:
    assert api.get("/overview").body == {"open": 0, "byStatus": [], "oldest": None, "isComplete": True}


def test_what_is_open_is_counted_by_status(api: ApiWorld) -> None:
    for code in ("a", "b", "c"):
        api.world.clock.advance(10)
        api.world.publish(order(code=code))
    api.publish("applied")
    found = api.get("/overview").body
    assert (found["open"], found["byStatus"]) == (3, [{"status": "publish:ACCEPTED", "count": 3}])
    assert found["oldest"] == {
        "kind": "TENANT",
        "type": "ORDER",
        "code": "a",
        "version": 1,
        "status": "publish:ACCEPTED",
        "since": "2026-01-01T00:00:10.000Z",
    }


def test_other_tenants_are_not_counted(api: ApiWorld) -> None:
    api.world.publish(order(code="a"))
    assert api.get("/overview", authorizer=token("t2")).body["open"] == 0


def test_too_many_to_count_are_reported() -> None:
    store = MemoryTableStore()
    for number in range(SHARD_ROWS + 1):
        row = {"pk": "TENANT#t1", "sk": f"ORDER#{number}@0000000001", "openShard": 3, "dueAt": number}
        store.put("commands", {**row, "status": "publish:ACCEPTED", "updatedAt": "2026-01-01T00:00:00.000Z"})
    found = open_commands(store, "t1")
    assert (found.by_status.total(), found.is_complete) == (SHARD_ROWS, False)


def test_names_that_routes_take() -> None:
    api = ApiWorld(environment={"CUSTOM_STATE_MACHINE_ARNS": json.dumps(WORKFLOWS)})
    api.publish("o1")
    api.post("/commands", {"type": "ORDER$", "code": "x", "name": "n", "attributes": {}}, query="mode=sync")
    found = api.get("/catalogue").body
    assert found["entityTypes"] == ["ORDER", "ORDER$"]
    assert "airports" in found["importTables"]
    assert "job" in found["taskTypes"]
    assert found["workflows"] == ["approval", "three_steps"]
    assert api.get("/catalogue", authorizer=token("t2")).body["entityTypes"] == []


def test_rows_of_a_handlers_own_are_no_type() -> None:
    store = MemoryTableStore()
    store.put("data", {"pk": "TENANT#t1", "sk": "CARD#1"})
    store.put("data", {"pk": "TENANT#t1", "sk": "ORDER#1", "csk": "ORDER#1@0000000001"})
    store.put("data", {"pk": "TENANT#t1", "sk": "ORDER#2", "csk": "ORDER#2@0000000001"})
    assert stored_types(store, "TENANT#t1") == ["ORDER"]


# -- runs ----------------------------------------------------------------------------------------------------------


def test_how_an_execution_went(api: ApiWorld) -> None:
    fail(api.world, api.world.publish(order(code="f")))
    row = api.world.store.get("commands", "TENANT#t1", "ORDER#f@0000000001")
    assert row is not None
    api.world.store.put("commands", {**row, "runId": ARN})
    visits = [StateVisit("check_version", 1.0, 1.5), StateVisit("finish", 1.5, None)]
    api.histories.all[ARN] = ExecutionHistory("RUNNING", 1.0, None, visits)
    found = api.get("/entities/ORDER/f/versions/1/run").body
    assert (found["status"], found["startedAt"], found["stoppedAt"]) == ("RUNNING", "1970-01-01T00:00:01.000Z", None)
    assert found["states"][0] == {
        "name": "check_version",
        "enteredAt": "1970-01-01T00:00:01.000Z",
        "exitedAt": "1970-01-01T00:00:01.500Z",
    }
    assert found["states"][1]["exitedAt"] is None


def test_before_it_was_claimed_the_execution_has_the_name_that_it_will_be_started_with(api: ApiWorld) -> None:
    api.world.publish(order(code="new"))
    assert api.get("/entities/ORDER/new/versions/1/run").body == {
        "machine": "command",
        "status": None,
        "startedAt": None,
        "stoppedAt": None,
        "states": None,
    }
    [asked] = api.histories.asked
    assert re.fullmatch(f"{MACHINE}:[0-9a-f]{{64}}", asked)


def test_the_express_machine_has_a_definition_of_its_own() -> None:
    machine = "arn:aws:states:us-east-1:123456789012:stateMachine:cqrs-dev-command-handler-express"
    api = ApiWorld(environment={"COMMAND_STATE_MACHINE_ARN": machine})
    api.world.publish(order(code="new"))
    assert api.get("/entities/ORDER/new/versions/1/run").body["machine"] == "command_express"
    assert api.histories.asked == []


def test_a_version_that_is_not_there(api: ApiWorld) -> None:
    assert api.get("/entities/ORDER/none/versions/1/run").status == 404


def test_how_a_workflow_went(api: ApiWorld) -> None:
    arn = api.post("/workflows/three_steps", {"id": "w1"}).body["executionArn"]
    api.histories.all[arn] = ExecutionHistory("SUCCEEDED", 1.0, 2.0, [StateVisit("first", 1.0, 2.0)])
    found = api.get("/workflows/three_steps/w1/run").body
    assert (found["machine"], found["status"], found["states"][0]["name"]) == ("three_steps", "SUCCEEDED", "first")
    assert api.get("/workflows/three_steps/w1/run", authorizer=token("t2")).status == 404
    assert api.histories.asked == [arn]


class FakeClient:
    """Answers each call with the next page, or raises it."""

    def __init__(self, pages: list[Any]) -> None:
        self.pages = pages
        self.asked: list[dict[str, Any]] = []

    def get_execution_history(self, **asked: Any) -> Any:
        return self._next(asked)

    def describe_alarms(self, **asked: Any) -> Any:
        return self._next(asked)

    def _next(self, asked: dict[str, Any]) -> Any:
        self.asked.append(asked)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page


def event(kind: str, second: float, **details: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": datetime.fromtimestamp(second, UTC), **details}


def entered(name: str, second: float) -> dict[str, Any]:
    return event("TaskStateEntered", second, stateEnteredEventDetails={"name": name, "input": "secret"})


def left(name: str, second: float) -> dict[str, Any]:
    return event("TaskStateExited", second, stateExitedEventDetails={"name": name})


def test_a_history_is_read_page_by_page_without_data() -> None:
    first = {"events": [event("ExecutionStarted", 1), entered("a", 2), left("a", 3)], "nextToken": "more"}
    second = {"events": [entered("b", 3), entered("b", 4), left("b", 5), event("ExecutionFailed", 6)]}
    client: Any = FakeClient([first, second])
    found = StepFunctionsHistories(lambda: client).of(ARN)
    assert found == ExecutionHistory(
        "FAILED", 1.0, 6.0, [StateVisit("a", 2.0, 3.0), StateVisit("b", 3.0, 5.0), StateVisit("b", 4.0, None)]
    )
    assert [one["includeExecutionData"] for one in client.asked] == [False, False]
    assert client.asked[1]["nextToken"] == "more"


@pytest.mark.parametrize("code", ["ExecutionDoesNotExist", "InvalidArn"])
def test_no_history(code: str) -> None:
    client: Any = FakeClient([ClientError({"Error": {"Code": code}}, "GetExecutionHistory")])
    assert StepFunctionsHistories(lambda: client).of(ARN) is None


def test_a_throttle_passes() -> None:
    client: Any = FakeClient([ClientError({"Error": {"Code": "ThrottlingException"}}, "GetExecutionHistory")])
    with pytest.raises(TransientThrottle):
        StepFunctionsHistories(lambda: client).of(ARN)


# -- alarms --------------------------------------------------------------------------------------------------------

TOPIC = "arn:aws:sns:us-east-1:123456789012:cqrs-dev-sfn-alarm"
THEN = datetime(2026, 1, 1, tzinfo=UTC)


def metric_alarm(name: str, state: str = "OK", topic: str = TOPIC, **more: Any) -> dict[str, Any]:
    return {"AlarmName": name, "StateValue": state, "AlarmActions": [topic], **more}


def alarms_of(*pages: Any) -> tuple[CloudWatchAlarms, FakeClient]:
    fake = FakeClient(list(pages))
    client: Any = fake
    return CloudWatchAlarms(lambda: client, TOPIC), fake


def test_alarms_of_all_pages_those_that_are_raised_first() -> None:
    raised = metric_alarm("c", "ALARM", StateReason="Threshold Crossed", StateUpdatedTimestamp=THEN)
    alarms, fake = alarms_of(
        {"MetricAlarms": [metric_alarm("b"), metric_alarm("a", "INSUFFICIENT_DATA")], "NextToken": "n"},
        {"MetricAlarms": [raised]},
    )
    assert alarms.all() == [
        AlarmState("c", "ALARM", "Threshold Crossed", THEN.timestamp()),
        AlarmState("a", "INSUFFICIENT_DATA", "", None),
        AlarmState("b", "OK", "", None),
    ]
    assert [(one["ActionPrefix"], one.get("NextToken")) for one in fake.asked] == [(TOPIC, None), (TOPIC, "n")]


def test_alarms_of_a_stack_whose_name_begins_alike_are_left_out() -> None:
    alarms, _ = alarms_of({"MetricAlarms": [metric_alarm("own"), metric_alarm("other", topic=f"{TOPIC}-2")]})
    assert [one.name for one in alarms.all()] == ["own"]


def test_throttled_alarms_are_for_a_later_try_and_a_missing_right_is_not() -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "DescribeAlarms")
    with pytest.raises(TransientThrottle):
        alarms_of(throttled)[0].all()
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeAlarms")
    with pytest.raises(ClientError):
        alarms_of(denied)[0].all()


def test_alarms_are_shown_with_the_time_of_their_last_change(api: ApiWorld) -> None:
    api.alarms.states = [AlarmState("c", "ALARM", "crossed", THEN.timestamp()), AlarmState("b", "OK", "", None)]
    assert api.get("/alarms").body["items"] == [
        {"name": "c", "state": "ALARM", "reason": "crossed", "since": "2026-01-01T00:00:00.000Z"},
        {"name": "b", "state": "OK", "reason": "", "since": None},
    ]
