"""The groups of routes: their requests, their models of responses, pages as iterators, waiting."""

from __future__ import annotations

import asyncio
import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from client_tests.fakes import ENTITY, Api, published, refused, version
from cqrs_client import AsyncClient, CommandInput, Import, NotFound, WaitTimeout
from cqrs_client.models import Entity
from cqrs_client.reading import read
from cqrs_client.transport import Answer

JOB: dict[str, Any] = {
    "id": "CSV_IMPORT#t1 airports#1",
    "table": "airports",
    "status": "PROCESSING",
    "attempt": 1,
    "counts": dict.fromkeys(
        ("total", "processed", "succeeded", "applied", "unchanged", "failed", "superseded", "cancelled"), 0
    ),
    "key": "imports/t1/1/a.csv",
    "bucket": "b",
    "error": None,
    "reasons": [{"code": "X", "rows": 1, "row": 1, "line": 2, "message": "m"}],
    "hasReport": True,
    "createdAt": "",
    "createdBy": "",
    "updatedAt": "",
}
TASK: dict[str, Any] = {
    **dict.fromkeys(("total", "succeeded", "failed", "cancelled", "attempt"), 0),
    **dict.fromkeys(("createdAt", "createdBy", "updatedAt"), ""),
    "id": "T#1",
    "type": "mail",
    "status": "CREATED",
    "hasItems": False,
    "input": 1,
    "result": None,
    "error": None,
    "isStopping": False,
}
UPLOAD = {"key": "imports/t1/1/a.csv", "method": "PUT", "url": "https://bucket.example/a.csv?X", "expiresIn": 900}


def test_a_published_command_is_waited_for() -> None:
    failed = {**version("FAILED"), "error": {"type": "Broken", "message": "m", "state": "sync_data"}}
    api = Api([published(), version("OPEN"), version("OPEN"), failed])
    client = api.client()
    seen = client.commands.wait(client.commands.publish("ORDER", "o1", "First", {}))
    assert seen.outcome == "FAILED"
    assert seen.error is not None
    assert (seen.error.type, seen.error.state) == ("Broken", "sync_data")
    assert api.asked[1].path == "/entities/ORDER/o1/versions/1?kind=TENANT"
    assert len(api.slept) == 2


def test_waiting_ends() -> None:
    api = Api([published(), *[version("OPEN")] * 99])
    client = api.client()
    with pytest.raises(WaitTimeout) as caught:
        client.commands.wait(client.commands.publish("ORDER", "o1", "First", {}), timeout=10)
    assert caught.value.latest.outcome == "OPEN"
    assert sum(api.slept) == pytest.approx(10)


def test_a_patch_names_what_changes_alone() -> None:
    api = Api([published()])
    api.client().commands.patch("ORDER", "o1", attributes={"lines": 3}, idempotency_key="k")
    assert api.asked[0].path == "/commands/ORDER/o1"
    assert api.bodies() == [{"attributes": {"lines": 3}, "version": -1}]


def test_batches_are_of_a_hundred_with_keys_of_their_own() -> None:
    done = {"status": 202, "published": published(), "problem": None}
    wrong = {"status": 422, "published": None, "problem": {"detail": "no"}}
    api = Api([{"results": [done] * 100, "failed": 0}, {"results": [wrong], "failed": 1}])
    commands = (CommandInput("ORDER", f"o{n}", "n", {"n": n}) for n in range(101))
    results = list(api.client().commands.batch(commands, idempotency_key="k"))
    assert [len(body["commands"]) for body in api.bodies()] == [100, 1]
    assert [one.headers["idempotency-key"] for one in api.asked] == ["k.0", "k.1"]
    assert (len(results), results[0].published is not None, results[-1].problem) == (101, True, {"detail": "no"})


def test_large_attributes_are_uploaded() -> None:
    api = Api([UPLOAD, Answer(200, {}, b""), published()])
    attributes = {"text": "ä" * 500_000}
    api.client().commands.publish("ORDER", "o1", "First", attributes)
    put, publish = api.asked[1], json.loads(api.asked[2].body)
    assert (put.method, put.url) == ("PUT", UPLOAD["url"])
    assert json.loads(put.body) == attributes
    assert put.headers == {"content-length": str(len(put.body))}
    assert publish["attributesFrom"] == UPLOAD["key"]
    assert "attributes" not in publish


def test_large_attributes_are_downloaded() -> None:
    large = {**ENTITY, "attributes": None, "attributesUrl": "https://bucket.example/x"}
    api = Api([{"entity": large, "pending": []}, {"lines": 3}])
    assert api.client().entities.get("ORDER", "o1").attributes == {"lines": 3}
    assert api.asked[1].headers == {}  # the URL is signed already; ours would be one too many


def test_lists_ask_for_pages_as_they_are_needed() -> None:
    pages = [
        {"items": [{**ENTITY, "code": "a"}, {**ENTITY, "code": "b"}], "cursor": "x"},
        {"items": [], "cursor": "y"},
        {"items": [{**ENTITY, "code": "c"}], "cursor": None},
    ]
    api = Api(list(pages))
    listed = api.client().entities.list("ORDER", prefix="p q", page=2)
    assert api.asked == []
    assert next(listed).code == "a"
    assert len(api.asked) == 1
    assert [one.code for one in listed] == ["b", "c"]
    assert [one.path for one in api.asked] == [
        "/entities/ORDER?prefix=p%20q&limit=2",
        "/entities/ORDER?prefix=p%20q&limit=2&cursor=x",
        "/entities/ORDER?prefix=p%20q&limit=2&cursor=y",
    ]


def test_history_and_what_is_not_there() -> None:
    api = Api([{"items": [version("APPLIED", 2), version("APPLIED")], "cursor": None}, refused(404)])
    client = api.client()
    assert [one.command.version for one in client.entities.history("ORDER", "o1")] == [2, 1]
    assert client.entities.find("ORDER", "o2") is None


def test_a_file_is_uploaded_imported_and_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("code\n1\n")
    ended = {**JOB, "status": "COMPLETED", "counts": {**JOB["counts"], "total": 1, "succeeded": 1}}
    api = Api([UPLOAD, Answer(200, {}, b""), JOB, JOB, ended])
    seen: list[str] = []
    done = api.client().imports.upload_and_run(file, "airports", progress=lambda job: seen.append(job.status))
    assert (done.status, done.counts.succeeded, seen) == ("COMPLETED", 1, ["PROCESSING", "COMPLETED"])
    assert done.reasons[0].line == 2
    assert json.loads(api.asked[0].body) == {"fileName": "a.csv"}
    assert api.asked[1].body == b"code\n1\n"
    assert json.loads(api.asked[2].body) == {"key": UPLOAD["key"], "table": "airports"}
    assert api.asked[3].path == "/imports/CSV_IMPORT%2523t1%2520airports%25231"


def test_an_upload_that_is_refused_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("code\n")
    with pytest.raises(Exception, match="403: <Error>"):
        Api([UPLOAD, Answer(403, {}, b"<Error>")]).client().imports.upload(file)


def test_reports_are_downloaded() -> None:
    parts = [{"key": "a", "url": "https://bucket.example/1"}, {"key": "b", "url": "https://bucket.example/2"}]
    api = Api([{"parts": parts}, Answer(200, {}, b"one"), Answer(200, {}, b"two")])
    assert list(api.client().imports.report("1")) == [b"one", b"two"]


def test_tasks_workflows_and_approvals() -> None:
    approval = {
        **dict.fromkeys(("workflow", "requestId", "status", "subject", "requestedBy", "requestedAt"), "x"),
        "delivered": True,
    }
    ended = {
        **dict.fromkeys(("workflow", "id", "executionArn", "startedAt", "stoppedAt"), "x"),
        "status": "SUCCEEDED",
        "input": {},
        "output": 1,
    }
    api = Api(
        [
            *(TASK, {**TASK, "status": "COMPLETED"}, TASK),
            *({"workflow": "w", "id": "1", "executionArn": "arn"}, {**ended, "status": "RUNNING"}, ended),
            *({"items": [approval], "cursor": None}, approval, approval),
        ]
    )
    client = api.client()
    assert client.tasks.wait(client.tasks.create("mail", {"to": "x"}).id).status == "COMPLETED"
    client.tasks.create("mail", items=[1, 2], max_concurrency=3)
    client.workflows.start("w", "1", {"a": 1})
    assert client.workflows.wait("w", "1").output == 1
    assert [one.request_id for one in client.approvals.list()] == ["x"]
    client.approvals.approve("w", "a b")
    client.approvals.reject("w", "1", "too dear")
    bodies = [one for one in api.bodies() if one]
    assert bodies == [
        {"type": "mail", "input": {"to": "x"}},
        {"type": "mail", "items": [1, 2], "maxConcurrency": 3},
        {"id": "1", "input": {"a": 1}},
        {"decision": "APPROVED"},
        {"decision": "REJECTED", "reason": "too dear"},
    ]


def test_operators() -> None:
    redriven = {"dryRun": False, "outcomes": [], "counts": {}, "cursor": "x"}
    skipped = {"attempt": 1, "appliedTargets": {}, "woken": True, "dryRun": True, "expiredSuccessor": None}
    api = Api([redriven, {**redriven, "cursor": None}, redriven, skipped])
    operations = api.client().operations
    assert len(list(operations.redrive_all(type="ORDER", page=10))) == 2
    assert api.bodies() == [
        {"type": "ORDER", "limit": 10, "dryRun": False},
        {"type": "ORDER", "limit": 10, "dryRun": False, "cursor": "x"},
    ]
    operations.redrive("ORDER", "o1", 2)
    assert operations.skip("ORDER", "o1", 2, dry_run=True).woken
    assert api.asked[-1].path == "/entities/ORDER/o1/versions/2/skip?dryRun=true"


def test_an_answer_of_something_else_is_no_model() -> None:
    with pytest.raises(ValueError, match=r"not a valid Entity: .*missing"):
        read(Entity, {"hello": "world"})


def test_async_rooms_have_the_same_methods_models_and_errors() -> None:
    api = Api(
        [
            published("APPLIED"),
            {"items": [ENTITY, {**ENTITY, "code": "o2"}], "cursor": None},
            refused(404, detail="none"),
        ]
    )
    client = AsyncClient(api.client())

    async def run() -> list[str]:
        done = await client.commands.publish("ORDER", "o1", "First", {}, wait=5)
        assert done.outcome == "APPLIED"
        codes = [one.code async for one in client.entities.list("ORDER")]
        with pytest.raises(NotFound):
            await client.entities.get("ORDER", "o3")
        return codes

    assert asyncio.run(run()) == ["o1", "o2"]
    for name, room in vars(client.client).items():
        if name == "transport":
            continue
        public = {one for one, _ in inspect.getmembers(room, inspect.ismethod) if not one.startswith("_")}
        own = {one for one in vars(type(getattr(client, name))) if not one.startswith("_")}
        assert own == public, name
        for one in public:  # lists are followed, not fetched in a thread that gives an iterator back
            is_list = "Iterator" in str(inspect.signature(getattr(room, one)).return_annotation)
            is_bytes = "Iterator[bytes]" in str(inspect.signature(getattr(room, one)).return_annotation)
            followed = inspect.isasyncgenfunction(getattr(type(getattr(client, name)), one))
            assert followed == is_list or is_bytes, f"{name}.{one}"


def test_a_job_knows_whether_it_has_ended() -> None:
    job = read(Import, JOB)
    assert not job.has_ended
    assert read(Import, {**JOB, "status": "CANCELLED"}).has_ended
