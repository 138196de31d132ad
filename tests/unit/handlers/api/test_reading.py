"""Reading through the API; API-07."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.commands.keys import EntityKey, VersionKey
from tests.support.api import ApiWorld, part, token
from tests.support.operations import fail
from tests.support.pipelines import order


@pytest.fixture
def api() -> ApiWorld:
    return ApiWorld()


def pages(api: ApiWorld, path: str, query: str, between: Any = lambda: None) -> list[list[Any]]:
    """All pages of a list; ``between`` happens behind each."""
    found: list[list[Any]] = []
    cursor = ""
    while True:
        answer = api.get(path, query=f"{query}{cursor}")
        assert answer.status == 200, answer
        found.append(answer.body["items"])
        assert len(found) < 100
        if answer.body["cursor"] is None:
            return found
        cursor = f"&cursor={part(answer.body['cursor'])}"
        between()


def test_an_entity_with_what_is_on_its_way(api: ApiWorld) -> None:
    api.publish(n=1)
    api.post("/commands", {"type": "ORDER", "code": "o1", "name": "2", "attributes": {}, "version": 1})
    answer = api.get("/entities/ORDER/o1")
    assert (answer.status, answer.headers["ETag"]) == (200, '"1"')
    assert answer.body["entity"]["attributes"] == {"n": 1}
    assert [(one["command"]["version"], one["outcome"]) for one in answer.body["pending"]] == [(2, "OPEN")]


@pytest.mark.parametrize(
    ("given", "status"), [('"1"', 304), ('W/"1"', 304), ('"0", "1"', 304), ("*", 304), ('"2"', 200)]
)
def test_if_none_match(api: ApiWorld, given: str, status: int) -> None:
    api.publish(n=1)
    answer = api.get("/entities/ORDER/o1", headers={"if-none-match": given})
    assert (answer.status, answer.headers["ETag"]) == (status, '"1"')
    assert (answer.text == "") == (status == 304)


def test_a_deleted_entity(api: ApiWorld) -> None:
    api.publish(n=1)
    gone = {"type": "ORDER", "code": "o1", "name": "x", "attributes": {}, "version": 1, "isDeleted": True}
    api.post("/commands", gone, query="mode=sync")
    assert api.get("/entities/ORDER/o1").status == 404
    assert api.get("/entities/ORDER/o1", query="includeDeleted=true").body["entity"]["isDeleted"] is True
    assert api.get("/entities/ORDER").body["items"] == []
    assert len(api.get("/entities/ORDER", query="includeDeleted=true").body["items"]) == 1
    assert api.get("/entities/ORDER", query="includeDeleted=yes").status == 422


@pytest.mark.parametrize(
    "code", ["a/b", "a?b", "50%", "ü b", 'quote"s', "a.b~c", "%2F", "+", "a&b=c", "<b>", "\\", "日本"]
)
def test_any_code_can_be_in_a_path(api: ApiWorld, code: str) -> None:
    """A client encodes twice, API Gateway decodes once: what arrives is encoded once."""
    api.publish(code)
    assert api.get(f"/entities/ORDER/{part(code)}").body["entity"]["code"] == code
    assert api.get(f"/entities/ORDER/{part(code)}/versions/1").body["command"]["code"] == code
    if "%" not in code and "/" not in code:
        assert api.get(f"/entities/ORDER/{code}").body["entity"]["code"] == code


def test_lists_by_prefix_in_order(api: ApiWorld) -> None:
    for code in ("b2", "a1", "b1", "c,d"):
        api.publish(code)
    api.post("/commands", {"type": "OTHER", "code": "b9", "name": "x", "attributes": {}}, query="mode=sync")
    assert [one["code"] for one in api.get("/entities/ORDER").body["items"]] == ["a1", "b1", "b2", "c,d"]
    assert [one["code"] for one in api.get("/entities/ORDER", query="prefix=b").body["items"]] == ["b1", "b2"]
    assert [one["code"] for one in api.get("/entities/ORDER", query="prefix=c%2Cd").body["items"]] == ["c,d"]
    assert api.get("/entities/ORDER", query="prefix=%23").status == 422
    assert api.get("/entities/ORDER", query="limit=0").status == 422
    assert api.get("/entities/ORDER", query="limit=101").status == 422
    assert api.get("/entities/ORDER", query="cursor=x").status == 422


def test_api_07_a_list_under_concurrent_writes_has_all_that_stays_once(api: ApiWorld) -> None:
    codes = [f"c{number:03d}" for number in range(40)]
    for code in codes:
        api.publish(code)
    turn = iter(range(100))

    def between() -> None:
        number = next(turn)
        api.publish(f"b{number:03d}")  # before the cursor
        api.publish(f"z{number:03d}")  # behind it
        gone = codes[39 - number]
        body = {"type": "ORDER", "code": gone, "name": "x", "attributes": {}, "version": 1, "isDeleted": True}
        assert api.post("/commands", body, query="mode=sync").status == 200
        api.patch(f"/commands/ORDER/{codes[number]}", {"name": "changed"})

    seen = [one["code"] for page in pages(api, "/entities/ORDER", "limit=7", between) for one in page]
    assert len(seen) == len(set(seen))
    assert set(codes[:30]) <= set(seen)
    assert seen == sorted(seen)


def test_api_07_versions_in_pages_while_new_ones_come(api: ApiWorld) -> None:
    for version in range(12):
        api.publish(version=version, n=version)
    newer = iter(range(12, 30))
    found = pages(api, "/entities/ORDER/o1/history", "limit=5", lambda: api.publish(version=next(newer), n=100))
    assert [[one["command"]["version"] for one in page] for page in found] == [
        [12, 11, 10, 9, 8],
        [7, 6, 5, 4, 3],
        [2, 1],
    ]


def test_api_07_tasks_in_pages_while_new_ones_come(api: ApiWorld) -> None:
    """One with items lies in another partition than one without, and its items behind it."""

    def create(number: int) -> str:
        api.world.clock.advance(1)
        body = {"items": [number, number]} if number % 2 else {"input": number}
        return str(api.post("/tasks", {"type": "job", **body}).body["id"])

    made = [create(number) for number in range(7)]
    for query in ("", "&type=job"):
        found = pages(api, "/tasks", f"limit=2{query}", lambda: made.append(create(len(made))))
        ids = [one["id"] for page in found for one in page]
        assert all(len(page) <= 2 for page in found)
        assert ids == sorted(set(ids), key=lambda one: one.rpartition("#")[2], reverse=True)
        assert set(made[:7]) <= set(ids)
    foreign = made[0].replace("#t1#", "#t2#")
    assert api.get("/tasks", query=f"cursor={part(foreign)}").status == 403
    other = api.get("/tasks", query=f"type=other&cursor={part(made[0])}")
    assert (other.status, other.body["errors"][0]["field"]) == (422, "cursor")
    assert api.get("/tasks", query="cursor=x").status == 422


def test_api_07_executions_in_pages_among_those_of_others(api: ApiWorld) -> None:
    for number in range(7):
        for tenant in ("t1", "t2"):
            api.post("/workflows/three_steps", {"id": f"w{number}"}, authorizer=token(tenant))
    found = pages(api, "/workflows/three_steps", "limit=3")
    assert [one["id"] for page in found for one in page] == [f"w{number}" for number in reversed(range(7))]
    assert max(map(len, found)) <= 2  # others' are between them
    for cursor in ("x", "", "x" * 1_025):
        answer = api.get("/workflows/three_steps", query=f"cursor={cursor}")
        assert (answer.status, answer.body["errors"][0]["field"]) == (422, "cursor"), cursor
    assert api.get("/workflows/none").status == 422


def test_api_07_failed_commands_in_pages(api: ApiWorld) -> None:
    for number in range(7):
        run = api.world.publish(order(code=f"f{number}"))
        if number != 3:
            fail(api.world, run)
    found = pages(api, "/failed", "limit=2")
    assert [one["code"] for page in found for one in page] == ["f0", "f1", "f2", "f4", "f5", "f6"]
    assert {len(page) for page in found[:-1]} == {2}


def test_api_07_a_page_ends_where_the_answer_would_be_too_large(api: ApiWorld) -> None:
    for number in range(9):
        api.publish(f"l{number}", text="x" * 900_000)
    found = pages(api, "/entities/ORDER", "limit=50")
    assert [len(page) for page in found] == [3, 3, 3]
    assert [one["code"] for page in found for one in page] == [f"l{number}" for number in range(9)]


def test_history_has_versions_whose_log_has_expired(api: ApiWorld) -> None:
    key = EntityKey("TENANT", "t1", "ORDER", "o1")
    for version in range(3):
        api.publish(version=version, n=version)
    api.world.memory.delete("commands", key.pk, VersionKey(key, 1).sk)
    api.world.memory.delete("commands", key.pk, VersionKey(key, 3).sk)
    items = api.get("/entities/ORDER/o1/history").body["items"]
    assert [(one["command"]["version"], one["outcome"], one["status"]) for one in items] == [
        (3, "APPLIED", ""),
        (2, "APPLIED", "finish:FINISHED"),
        (1, "APPLIED", ""),
    ]
    assert api.get("/entities/ORDER/o1/history", query="cursor=3&limit=1").body["items"][0]["command"]["version"] == 2


def test_one_version(api: ApiWorld) -> None:
    run = api.world.publish(order())
    fail(api.world, run)
    answer = api.get("/entities/ORDER/o1/versions/1")
    assert (answer.body["outcome"], answer.body["error"]["message"]) == ("FAILED", "it broke")
    for version in ("0", "-1", "x", "1.0", "99999999999", "٣"):
        assert api.get(f"/entities/ORDER/o1/versions/{version}").status in (404, 422), version
