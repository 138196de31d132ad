"""API-10: no answer has a task token, a stack trace or what belongs to another tenant."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.state_machines.port import WorkflowExecution
from handlers.store.port import COMMANDS, Change
from tests.support.api import Answer, ApiWorld, part, token
from tests.support.operations import fail
from tests.unit.handlers.api.test_access import BODIES, NEEDS, path_of
from tests.unit.handlers.api.test_rooms import asked

FOREIGN = "belongs-to-t2"


@pytest.fixture
def api() -> ApiWorld:
    """Tenant t1 and tenant t2 have the same things; t2's all say whose they are."""
    api = ApiWorld()
    for tenant, text in (("t1", "own"), ("t2", FOREIGN)):
        caller = token(tenant)
        body = {"type": "ORDER", "code": "o1", "name": text, "attributes": {"text": text}}
        assert api.post("/commands", body, authorizer=caller).status == 202
        fail_of(api, tenant)
        asked(api, "r1", tenant)
        api.post("/tasks", {"type": "job", "input": text}, authorizer=caller)
        api.post("/tasks", {"type": "job", "items": [text]}, authorizer=caller)
        api.post("/imports", {"table": "airports", "key": f"imports/{tenant}/{text}.csv"}, authorizer=caller)
        api.post("/workflows/three_steps", {"id": "r1", "input": {"text": text}}, authorizer=caller)
    return api


def fail_of(api: ApiWorld, tenant: str) -> None:
    from handlers.commands.keys import EntityKey, VersionKey
    from handlers.commands.pipeline.run import Run

    key = VersionKey(EntityKey("TENANT", tenant, "ORDER", "o1"), 1)
    row = api.world.store.get(COMMANDS, key.pk, key.sk)
    assert row is not None
    fail(api.world, Run(key, row["id"], 1, "execution"))
    # As a run that waited, and that is looked at in the middle of a handshake, leaves it.
    change = Change(set={"taskToken": "token-of-the-row", "waitingSince": 1.0, "runId": "r", "leaseUntil": 1.0})
    api.world.store.update(COMMANDS, key.pk, key.sk, change)


def held(answer: Answer) -> None:
    for secret in ("token-", "taskToken", "Traceback", "stackTrace", 'File \\"', ".py", FOREIGN, "#t2", "/t2/"):
        assert secret not in answer.text, (secret, answer.text)


ROUTES = sorted(one for one in NEEDS if one[1] not in ("/docs", "/openapi.json"))


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_api_10_no_answer_has_tokens_traces_or_rows_of_others(api: ApiWorld, route: tuple[str, str]) -> None:
    method, rule = route
    paths = [path_of(rule)]
    if "<id>" in rule and rule.split("/")[1] in ("tasks", "imports"):
        listed = api.get(f"/{rule.split('/')[1]}").body["items"]
        paths += [path_of(rule.replace("<id>", part(one["id"]))) for one in listed]
    for path in paths:
        answer = api.call(method, path, BODIES.get(route))
        assert answer.status != 500, answer
        held(answer)


def test_api_10_errors_show_no_token(api: ApiWorld) -> None:
    for body in ({"decision": "REJECTED"}, {"decision": "APPROVED"}, {"decision": "REJECTED", "reason": "late"}):
        held(api.post("/approvals/approval/r1/answer", body))


class Failed:
    """A workflow whose function failed: Lambda's cause has a stack trace."""

    def execution(self, name: str, id_: str) -> WorkflowExecution:
        cause = '{"errorMessage": "no numbers", "errorType": "ValidationError", "stackTrace": ["  File \\"x.py\\""]}'
        given = {"tenantCode": "t1"}
        return WorkflowExecution("arn", "FAILED", 1.0, given, 2.0, None, "ValidationError", cause)


def test_api_10_the_cause_of_a_failed_execution_is_its_message() -> None:
    api = ApiWorld()
    stub: Any = Failed()
    api.parts.__dict__["workflows"] = stub
    answer = api.get("/workflows/three_steps/w1")
    assert (answer.body["error"], answer.body["cause"]) == ("ValidationError", "no numbers")
    held(answer)


def test_api_10_a_failing_sync_handler_is_reported_with_its_message_and_no_trace() -> None:
    class Broken:
        def up(self, command: Any) -> None:
            raise RuntimeError("the warehouse is closed")

    api = ApiWorld(handlers={"one": ("ORDER", Broken())})
    answer = api.publish(n=1)
    assert answer.body["error"]["message"] == "the warehouse is closed"
    held(answer)


def test_api_10_a_log_line_has_no_body(api: ApiWorld, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "cqrs.handlers")
    body = {"type": "ORDER", "code": "o2", "name": "the name", "attributes": {"secret": "4711"}}
    api.post("/commands", body, query="mode=sync")
    api.post("/commands", {**body, "version": "4711"})
    lines = [one.fields for one in caplog.records if one.message == "request"]  # type: ignore[attr-defined]
    assert [(one["method"], one["route"], one["status"], one["tenant"]) for one in lines][-2:] == [
        ("POST", "/commands", 200, "t1"),
        ("POST", "/commands", 422, "t1"),
    ]
    assert "4711" not in caplog.text + str(lines)
    assert "the name" not in caplog.text + str(lines)
