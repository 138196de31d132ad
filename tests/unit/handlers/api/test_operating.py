"""What operators do through the API: failed commands, explain, redrive, skip."""

from __future__ import annotations

import pytest

from tests.support.api import ApiWorld, part
from tests.support.operations import fail
from tests.support.pipelines import order
from tests.unit.handlers.api.test_rooms import asked


@pytest.fixture
def api() -> ApiWorld:
    api = ApiWorld()
    for code in ("f1", "f2"):
        fail(api.world, api.world.publish(order(code=code)))
    api.publish("good")
    return api


def test_failed_commands_are_listed(api: ApiWorld) -> None:
    items = api.get("/failed").body["items"]
    assert [(one["type"], one["code"], one["version"], one["error"]["message"]) for one in items] == [
        ("ORDER", "f1", 1, "it broke"),
        ("ORDER", "f2", 1, "it broke"),
    ]
    assert items[0]["failedAt"] == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("type=ORDER", 2),
        ("type=ORD", 0),
        ("kind=OTHER", 0),
        ("since=2026-01-01T00:00:00Z", 2),
        ("since=2026-01-01T00:00:01Z", 0),
        ("status=FAILED", 2),
        ("status=sync_data:FAILED", 0),
    ],
)
def test_by_type_kind_time_and_state(api: ApiWorld, query: str, found: int) -> None:
    assert len(api.get("/failed", query=query).body["items"]) == found


WRONG = ["since=yesterday", "status=x", "type=a%23b", "kind=%40", "cursor=x", "limit=101", "cursor=Iiep"]


@pytest.mark.parametrize("query", WRONG)
def test_what_can_not_be_searched(api: ApiWorld, query: str) -> None:
    assert api.get("/failed", query=query).status == 422


def test_a_cursor_is_of_the_list_that_goes_on(api: ApiWorld) -> None:
    """DynamoDB refuses a start that is outside of what is asked for."""
    for request in ("r1", "r2"):
        asked(api, request)
    for list_, other in (("/failed", "type=OTHER"), ("/approvals", "workflow=other")):
        first = api.get(list_, query="limit=1").body
        assert first["cursor"] is not None, list_
        answer = api.get(list_, query=f"{other}&cursor={part(first['cursor'])}")
        assert (answer.status, answer.body["errors"][0]["field"]) == (422, "cursor"), list_


def test_a_cursor_names_no_tenant(api: ApiWorld) -> None:
    import base64

    cursor = api.get("/failed", query="limit=1").body["cursor"]
    assert "t1" not in base64.urlsafe_b64decode(cursor).decode()


def test_many_are_redriven_after_a_dry_run(api: ApiWorld) -> None:
    dry = api.post("/failed/redrive", {"type": "ORDER", "dryRun": True}).body
    assert (dry["dryRun"], dry["counts"]) == (True, {"WOULD_REDRIVE": 2})
    assert api.world.workflows.started == {}
    done = api.post("/failed/redrive", {"limit": 1}).body
    assert (done["counts"], done["outcomes"][0]["code"], done["outcomes"][0]["attempt"]) == ({"REDRIVEN": 1}, "f1", 2)
    rest = api.post("/failed/redrive", {"cursor": done["cursor"]}).body
    assert [one["code"] for one in rest["outcomes"]] == ["f2"]
    assert len(api.world.workflows.started) == 2
    assert api.get("/failed").body["items"] == []


def test_one_version_is_redriven(api: ApiWorld) -> None:
    path = "/entities/ORDER/f1/versions/1/redrive"
    assert api.post(path, query="dryRun=true").body["counts"] == {"WOULD_REDRIVE": 1}
    assert api.post(path).body["counts"] == {"REDRIVEN": 1}
    assert api.post(path).body["counts"] == {"NOT_FAILED": 1}
    assert api.post("/entities/ORDER/f1/versions/2/redrive").status == 404


def test_one_version_is_skipped(api: ApiWorld) -> None:
    path = "/entities/ORDER/f1/versions/1/skip"
    assert api.post(path, query="dryRun=true").body["dryRun"] is True
    assert api.get("/entities/ORDER/f1/versions/1").body["outcome"] == "FAILED"
    assert api.post(path).status == 200
    assert api.get("/entities/ORDER/f1/versions/1").body["outcome"] == "SKIPPED"
    answer = api.post(path)
    assert (answer.status, answer.body["type"]) == (409, "urn:cqrs:problem:skip-refused")


def test_what_happened_is_explained(api: ApiWorld) -> None:
    answer = api.get("/entities/ORDER/f1/explain")
    [version] = answer.body["versions"]
    assert (version["situation"], version["error"]["message"]) == ("FAILED", "it broke")
    assert answer.body["whatToDo"]
    assert api.get("/entities/ORDER/f1/explain", query="version=7").body["versions"] == []
