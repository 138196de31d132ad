"""Tasks, imports, approvals and workflows through the API."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.imports.errors import RowProblem
from handlers.imports.jobs.model import ImportJob
from handlers.imports.jobs.repository import ImportRepository
from handlers.store.port import IMPORT_TMP
from handlers.workflows.approvals import Approvals
from handlers.workflows.keys import approval_partition, approval_sk
from tests.support.api import ApiWorld, part, token

AIRPORT = {"ident": "00A", "type": "heliport", "name": "Total RF"}


@pytest.fixture
def api() -> ApiWorld:
    return ApiWorld()


# -- tasks -----------------------------------------------------------------------------------------------------------


def test_a_task(api: ApiWorld) -> None:
    made = api.post("/tasks", {"type": "job", "input": {"a": None}})
    assert (made.status, made.body["status"], made.body["hasItems"]) == (202, "CREATED", False)
    shown = api.get(f"/tasks/{part(made.body['id'])}")
    assert (shown.status, shown.body) == (200, made.body)
    assert shown.body["input"] == {"a": None}
    assert api.get("/tasks").body["items"] == [made.body]
    assert api.get("/tasks", query="type=other").body["items"] == []
    cancelled = api.post(f"/tasks/{part(made.body['id'])}/cancel")
    assert (cancelled.status, cancelled.body["status"]) == (202, "CANCELLED")
    again = api.post(f"/tasks/{part(made.body['id'])}/retry")
    assert (again.status, again.body["type"]) == (409, "urn:cqrs:problem:wrong-status")


def test_a_task_with_items_in_pages(api: ApiWorld) -> None:
    made = api.post("/tasks", {"type": "job", "items": list(range(25)), "maxConcurrency": 3})
    assert (made.status, made.body["total"], made.body["hasItems"]) == (202, 25, True)
    assert (made.body["maxConcurrency"], made.body["onItemError"]) == (3, "continue")
    path = f"/tasks/{part(made.body['id'])}/items"
    first = api.get(path, query="limit=20").body
    rest = api.get(path, query=f"limit=20&cursor={first['cursor']}").body
    assert [one["input"] for one in (*first["items"], *rest["items"])] == list(range(25))
    assert rest["cursor"] is None


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "none", "input": 1}, "taskType"),
        ({"type": "job", "items": [1], "input": 1}, "items"),
        ({"type": "job", "items": [1], "onItemError": "x"}, "onItemError"),
        ({"type": "job", "items": [1] * 1001}, "items"),
        ({"type": "job", "items": [1], "maxConcurrency": 0}, "maxConcurrency"),
        ({"type": "job", "items": [1], "expectedSeconds": 0}, "expectedSeconds"),
        ({"type": "job", "input": 1, "tenantCode": "t2"}, "tenantCode"),
    ],
)
def test_a_wrong_task(api: ApiWorld, body: dict[str, Any], field: str) -> None:
    answer = api.post("/tasks", body)
    assert (answer.status, answer.body["errors"][0]["field"]) == (422, field)
    assert api.get("/tasks").body["items"] == []


@pytest.mark.parametrize("id_", ["x", "TASK#t1#job", "TASK#t1#job#short", "OTHER#t1#job#" + "0" * 26])
def test_an_id_that_is_none(api: ApiWorld, id_: str) -> None:
    assert api.get(f"/tasks/{id_}").status == 422
    assert api.get(f"/tasks/TASK#t1#job#{'0' * 26}").status == 404


# -- imports ---------------------------------------------------------------------------------------------------------


def job_of(api: ApiWorld) -> Any:
    made = api.post("/imports", {"table": "airports", "key": "imports/t1/a.csv"})
    assert made.status == 202, made
    return made.body


def test_a_file_is_uploaded_and_imported(api: ApiWorld) -> None:
    upload = api.post("/imports/uploads", {"fileName": "airports.csv"}).body
    assert upload["key"].startswith("imports/t1/")
    assert upload["key"].endswith("/airports.csv")
    made = api.post("/imports", {"table": "airports", "key": upload["key"]})
    assert (made.status, made.body["status"], made.body["bucket"]) == (202, "CREATED", "memory")
    assert api.get(f"/imports/{part(made.body['id'])}").body == made.body
    assert api.get("/imports").body["items"] == [made.body]
    assert api.get(f"/imports/{part(made.body['id'])}/report").status == 404


@pytest.mark.parametrize(
    ("name", "end"),
    [("a/b.csv", "a-b.csv"), ("../x", "x"), (".csv", "csv"), ("my files ä.csv", "my-files-.csv"), ("/", "file")],
)
def test_a_name_that_no_key_should_have(api: ApiWorld, name: str, end: str) -> None:
    key = api.post("/imports/uploads", {"fileName": name}).body["key"]
    assert key.split("/")[3:] == [end]


@pytest.mark.parametrize("name", ["", "x" * 201, None])
def test_a_name_that_is_none(api: ApiWorld, name: str | None) -> None:
    answer = api.post("/imports/uploads", {"fileName": name})
    assert (answer.status, answer.body["errors"][0]["field"]) == (422, "fileName")


def test_an_archive(api: ApiWorld) -> None:
    made = api.post("/imports", {"key": "imports/t1/all.ZIP"})
    assert (made.status, made.body["table"]) == (202, "ZIP")
    assert api.get("/imports").body["items"] == []
    assert api.get("/imports", query="archives=true").body["items"] == [made.body]
    assert api.get(f"/imports/{part(made.body['id'])}/files").body["items"] == []
    assert api.get(f"/imports/{part(job_of(api)['id'])}/files").status == 422


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"table": "none"}, "tableName"),
        ({"bucket": "elsewhere"}, "bucket"),
        ({"encoding": "none"}, "encoding"),
        ({"mode": "FAST"}, "mode"),
    ],
)
def test_a_wrong_import(api: ApiWorld, change: dict[str, Any], field: str) -> None:
    answer = api.post("/imports", {"table": "airports", "key": "imports/t1/a.csv", **change})
    assert (answer.status, answer.body["errors"][0]["field"]) == (422, field)


def test_imports_in_pages(api: ApiWorld) -> None:
    for _ in range(5):
        job_of(api)
        api.world.clock.advance(1)
    first = api.get("/imports", query="limit=3").body
    rest = api.get("/imports", query=f"limit=3&cursor={part(first['cursor'])}").body
    found = [one["createdAt"] for one in (*first["items"], *rest["items"])]
    assert (len(found), found) == (5, sorted(found, reverse=True))
    foreign = first["cursor"].replace("#t1#", "#t2#")
    assert api.get("/imports", query=f"cursor={part(foreign)}").status == 403
    other = api.get("/imports", query=f"table=other&cursor={part(first['cursor'])}")
    assert (other.status, other.body["errors"][0]["field"]) == (422, "cursor")


def test_rows_with_their_outcome_in_the_order_of_the_file(api: ApiWorld) -> None:
    made = job_of(api)
    repository = ImportRepository(api.world.store, api.world.clock)
    key = made_job(api, made["id"]).key
    job = repository.job(key)
    assert job is not None
    repository.open_shards(key)
    for index in range(40):
        end = RowProblem("Bad", "no") if index % 10 == 3 else None
        row = (
            repository.ended(job, key.row(index), index + 1, index + 2, {"n": str(index)}, end)
            if end
            else repository.new_rows(job)(key.row(index), index + 1, index + 2, {"n": str(index)}, "CREATED")
        )
        api.world.store.put(IMPORT_TMP, row)
    path = f"/imports/{part(made['id'])}/rows"
    numbers: list[int] = []
    query = "limit=15"
    while True:
        page = api.get(path, query=query).body
        numbers += [one["number"] for one in page["items"]]
        if page["cursor"] is None:
            break
        query = f"limit=15&cursor={page['cursor']}"
    assert numbers == list(range(1, 41))
    failed = api.get(path, query="status=FAILED").body
    assert [(one["number"], one["error"]["type"], one["row"]) for one in failed["items"]] == [
        (number + 1, "Bad", {"n": str(number)}) for number in (3, 13, 23, 33)
    ]
    assert failed["cursor"] is None


def test_large_rows_end_a_page_before_its_limit(api: ApiWorld) -> None:
    made = job_of(api)
    repository = ImportRepository(api.world.store, api.world.clock)
    key = made_job(api, made["id"]).key
    job = repository.job(key)
    assert job is not None
    for index in range(40):
        repository.add(job, key.row(index), index + 1, index + 2, {"n": "x" * 150_000})
    path = f"/imports/{part(made['id'])}/rows"
    first = api.get(path, query="limit=100")
    assert len(first.text) < 4_000_000
    rest = api.get(path, query=f"limit=100&cursor={first.body['cursor']}").body
    numbers = [one["number"] for one in (*first.body["items"], *rest["items"])]
    assert (numbers, rest["cursor"]) == (list(range(1, 41)), None)


def made_job(api: ApiWorld, id_: str) -> ImportJob:
    return api.parts.imports.get_import(id_, api_context())


def api_context() -> Any:
    from tests.support.pipelines import CONTEXT

    return CONTEXT


def test_one_row(api: ApiWorld) -> None:
    answer = api.post("/imports/rows", {"table": "airports", "row": AIRPORT})
    assert answer.status == 202
    assert answer.body["id"].startswith("IMPORT#t1#airports#")
    assert api.post("/imports/rows", {"table": "airports", "row": {"a": 1}}).status == 422
    assert api.post("/imports/rows", {"table": "none", "row": AIRPORT}).status == 422


def test_an_import_is_cancelled(api: ApiWorld) -> None:
    made = job_of(api)
    answer = api.post(f"/imports/{part(made['id'])}/cancel")
    assert (answer.status, answer.body["status"]) == (202, "CANCELLED")
    assert api.post(f"/imports/{part(made['id'])}/retry").status == 409


# -- approvals -------------------------------------------------------------------------------------------------------


def asked(api: ApiWorld, name: str, tenant: str = "t1") -> str:
    key = (approval_partition(tenant), approval_sk("approval", name))
    secret = api.workflows.open(f"{tenant}-{name}")
    approvals = Approvals(api.world.store, api.world.clock, api.workflows)
    approvals.ask(key, secret, 0, execution="e", subject=f"about {name}", requestedBy="somebody")
    return secret


def test_approvals_in_pages(api: ApiWorld) -> None:
    for name in ("a", "b", "c"):
        asked(api, name)
    asked(api, "foreign", "t2")
    first = api.get("/approvals", query="limit=2").body
    rest = api.get("/approvals", query=f"limit=2&cursor={first['cursor']}").body
    assert [one["requestId"] for one in (*first["items"], *rest["items"])] == ["a", "b", "c"]
    assert rest["cursor"] is None
    assert api.get("/approvals", query="workflow=other").body["items"] == []
    assert api.get("/approvals", query="cursor=x").status == 422


def test_an_answer(api: ApiWorld) -> None:
    secret = asked(api, "a")
    answer = api.post("/approvals/approval/a/answer", {"decision": "APPROVED"})
    assert (answer.status, answer.body["status"], answer.body["decidedBy"]) == (200, "APPROVED", "u1")
    assert api.workflows.answers == [(secret, "resumed", {"decision": "APPROVED"})]
    assert api.post("/approvals/approval/a/answer", {"decision": "APPROVED"}).status == 200
    late = api.post("/approvals/approval/a/answer", {"decision": "REJECTED", "reason": "no"})
    assert (late.status, late.body["type"]) == (409, "urn:cqrs:problem:already-decided")
    assert api.post("/approvals/approval/none/answer", {"decision": "APPROVED"}).status == 404
    assert api.post("/approvals/approval/a/answer", {"decision": "APPROVED"}, authorizer=token("t2")).status == 404


WRONG: list[dict[str, Any]] = [
    {"decision": "REJECTED"},
    {"decision": "OPEN"},
    {},
    {"decision": "REJECTED", "reason": "x" * 1001},
]


@pytest.mark.parametrize("body", WRONG)
def test_a_wrong_answer(api: ApiWorld, body: dict[str, Any]) -> None:
    asked(api, "a")
    assert api.post("/approvals/approval/a/answer", body).status == 422
    assert api.workflows.answers == []


# -- workflows -------------------------------------------------------------------------------------------------------


def test_a_workflow_is_started_once(api: ApiWorld) -> None:
    first = api.post("/workflows/three_steps", {"id": "w1", "input": {"numbers": [1]}})
    again = api.post("/workflows/three_steps", {"id": "w1", "input": {"numbers": [1]}})
    assert (first.status, again.body) == (202, first.body)
    other = api.post("/workflows/three_steps", {"id": "w1", "input": {"numbers": [2]}})
    assert (other.status, other.body["type"]) == (409, "urn:cqrs:problem:request-conflict")
    assert api.get("/workflows/three_steps/w1").body["executionArn"] == first.body["executionArn"]
    assert api.get("/workflows/three_steps/none").status == 404
    assert api.get("/workflows/none/w1").status == 422
    assert api.post("/workflows/none", {"id": "w1"}).status == 422
