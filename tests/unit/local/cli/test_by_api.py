"""``--api``: the operators' commands print the same whoever answers, and each refusal is one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from cli.__main__ import main
from cli.doors.by_api import TOKEN, Api, ApiArgs, line_of
from cli.errors import CommandError
from cqrs_client.errors import Unreachable
from cqrs_client.transport import Answer
from handlers.workflows.approvals import Approvals
from handlers.workflows.keys import approval_partition, approval_sk
from tests.support.api import ALL_ROLES, ApiWorld, token
from tests.support.api_door import URL, Door, by_api, on_tables
from tests.support.operations import fail
from tests.support.pipelines import order

FAILED = "TENANT#t1 ORDER#f1"
OF_NOBODY = "TASK#t1#job#" + "0" * 26


@pytest.fixture
def world() -> ApiWorld:
    """f1 and f2 have failed, one is done; a task of three items; an import that waits."""
    world = ApiWorld()
    for code in ("f1", "f2"):
        fail(world.world, world.world.publish(order(code=code)))
    world.publish("good/1 ?")
    world.post("/tasks", {"type": "job", "items": [1, 2, 3], "maxConcurrency": 2})
    world.post("/tasks", {"type": "job", "input": "x"})
    world.post("/imports", {"table": "airports", "key": "imports/t1/a.csv"})
    world.post("/imports", {"key": "imports/t1/all.zip"})
    return world


@pytest.fixture
def door(world: ApiWorld, monkeypatch: pytest.MonkeyPatch) -> Door:
    monkeypatch.delenv(TOKEN, raising=False)
    return Door(world)


def ids(world: ApiWorld, path: str, query: str = "") -> list[str]:
    return [one["id"] for one in world.get(path, query=query).body["items"]]


SAME: list[Callable[[ApiWorld], list[str]]] = [
    lambda _: ["explain", FAILED],
    lambda _: ["explain", "TENANT#t1#ORDER#good/1 ?"],
    lambda _: ["explain", f"{FAILED}@7"],
    lambda _: ["tasks", "list", "--tenant", "t1"],
    lambda _: ["tasks", "list", "--tenant", "t1", "--type", "none"],
    lambda world: ["tasks", "show", ids(world, "/tasks")[0], "--all"],
    lambda world: ["tasks", "show", ids(world, "/tasks")[1], "--all"],
    lambda _: ["imports", "list", "--tenant", "t1", "--table", "airports"],
    lambda world: ["imports", "show", ids(world, "/imports")[0]],
    lambda world: ["imports", "show", ids(world, "/imports", "archives=true")[0]],
]


@pytest.mark.parametrize("form", [[], ["--json"]])
@pytest.mark.parametrize("made", SAME)
def test_it_prints_what_it_prints_on_the_tables(
    world: ApiWorld,
    door: Door,
    made: Callable[[ApiWorld], list[str]],
    form: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [*made(world), *form]
    assert on_tables(world, *arguments) == 0
    expected = capsys.readouterr().out
    assert by_api(door, *arguments) == 0
    assert capsys.readouterr().out == expected
    assert {headers["x-cqrs-tenant"] for _, _, headers in door.asked} == {"t1"}


def test_redrive_and_skip(world: ApiWorld, door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    assert by_api(door, "redrive", FAILED, "--dry-run") == 0
    assert "dry run: nothing was changed" in capsys.readouterr().out
    assert world.world.workflows.started == {}
    assert by_api(door, "redrive", FAILED, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "dryRun": False,
        "outcomes": [{"key": f"{FAILED}@1", "outcome": "REDRIVEN", "attempt": 2, "note": ""}],
        "counts": {"REDRIVEN": 1},
        "more": False,
    }
    assert len(world.world.workflows.started) == 1
    with pytest.raises(CommandError, match="@1: it is publish:ACCEPTED, not FAILED: nothing changed"):
        by_api(door, "redrive", FAILED)
    assert by_api(door, "skip", "TENANT#t1 ORDER#f2@1") == 0
    assert "Skipped" in capsys.readouterr().out
    assert world.get("/entities/ORDER/f2/versions/1").body["outcome"] == "SKIPPED"


def test_a_selection_is_redriven_up_to_its_limit(
    world: ApiWorld, door: Door, capsys: pytest.CaptureFixture[str]
) -> None:
    assert by_api(door, "redrive", "--tenant", "t1", "--since", "2099-01-01T00:00:00Z") == 0
    assert capsys.readouterr().out == "no failed command in this selection\n"
    assert by_api(door, "redrive", "--tenant", "t1", "--type", "ORDER", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["counts"] == {"WOULD_REDRIVE": 2}
    assert by_api(door, "redrive", "--tenant", "t1", "--since", "2026-01-01T00:00:00Z", "--limit", "1", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert ([one["key"] for one in answer["outcomes"]], answer["more"]) == ([f"{FAILED}@1"], True)
    with pytest.raises(CommandError, match="--api needs --tenant"):
        by_api(door, "redrive", "--since", "2h")


def test_tasks_and_imports_are_cancelled(world: ApiWorld, door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    (job,) = ids(world, "/imports")
    assert by_api(door, "imports", "cancel", job, "--json") == 0
    assert json.loads(capsys.readouterr().out)["status"] == "CANCELLED"
    with pytest.raises(CommandError, match=r"CANCELLED.*; explain and show print its current state"):
        by_api(door, "imports", "retry", job)
    single = next(one for one in ids(world, "/tasks") if one.startswith("TASK#"))
    assert by_api(door, "tasks", "cancel", single) == 0
    assert "CANCELLED" in capsys.readouterr().out
    with pytest.raises(CommandError, match="; explain and show print its current state"):
        by_api(door, "tasks", "retry", single)


def test_of_an_entity_all_that_failed_is_redriven(world: ApiWorld, door: Door) -> None:
    """From the last to the first, each version told once."""
    fail(world.world, world.world.publish(order(code="f1", version=1, attributes={"n": 2})))
    assert by_api(door, "redrive", FAILED) == 0
    assert [path.partition("?")[0] for method, path, _ in door.asked if method == "POST"] == [
        "/entities/ORDER/f1/versions/2/redrive",
        "/entities/ORDER/f1/versions/1/redrive",
    ]


NOTHING_THERE = Answer(200, {}, b"<html>")
REFUSED: list[tuple[Any, Answer | Unreachable | None, list[str], str]] = [
    (token(roles=("reader",)), None, ["explain", FAILED], "403, the role 'operator' is needed for this; permissions"),
    (
        token("t2"),
        None,
        ["explain", FAILED],
        "403, the tenant of the header X-Cqrs-Tenant is not one of this identity's",
    ),
    ({}, None, ["explain", FAILED], f"401, it needs a bearer token: put one into {TOKEN}, or sign: --api {URL}/iam"),
    (None, None, ["explain", "TENANT#t1 ORDER#no"], "ORDER#no: unknown key, neither a command nor a data row"),
    (None, None, ["tasks", "show", OF_NOBODY], f"there is no such task; check the key or id, and --api ({URL})"),
    (None, None, ["skip", "TENANT#t1 ORDER#good@9"], "unknown key, this version is not in the log"),
    (None, None, ["redrive", "--tenant", "t1", "--status", "x"], "status: 'x' is not allowed; expected FAILED or one"),
    (
        None,
        None,
        ["tasks", "list", "--tenant", "t1", "--limit", "101"],
        "limit: '101' is not allowed; expected less",
    ),
    (None, None, ["explain", "TENANT#ä ORDER#o1"], "tenant ä: it can't be sent in a header; omit --api"),
    (None, Unreachable("GET http://x: no"), ["explain", FAILED], f"{URL}: can't be reached; --api takes the stack"),
    (None, Unreachable("POST http://x: no"), ["skip", f"{FAILED}@1"], "(it may have taken effect: check before you"),
    (None, NOTHING_THERE, ["explain", FAILED], f"{URL}: this is not the API of a stack; --api takes the stack output"),
    (None, Answer(302, {}, b""), ["explain", FAILED], "this is not the API of a stack"),
    (None, Answer(200, {}, b"[]"), ["tasks", "list", "--tenant", "t1"], "this is not the API of a stack"),
    (None, Answer(404, {}, b'{"message":"Not Found"}'), ["explain", FAILED], "this is not the API of a stack"),
    (None, Answer(403, {}, b'{"message":"Forbidden"}'), ["skip", f"{FAILED}@1"], "403, Forbidden; signed"),
    (
        None,
        Answer(503, {}, b"{}"),
        ["skip", f"{FAILED}@1"],
        "503, status 503; this is temporary: run it again in a moment",
    ),
    (None, Answer(500, {}, b'{"requestId":"r1"}'), ["skip", f"{FAILED}@1"], "see the log for request r1"),
    (None, Answer(409, {}, b'{"detail":"a\\u001b[2Jb\\nc"}'), ["skip", f"{FAILED}@1"], "a\\x1b[2Jb c; explain and"),
]


@pytest.mark.parametrize(("who", "instead", "arguments", "line"), REFUSED)
def test_a_refusal_is_one_line(
    world: ApiWorld, door: Door, who: Any, instead: Answer | Unreachable | None, arguments: list[str], line: str
) -> None:
    door.authorizer = token(roles=ALL_ROLES) if who is None else who
    door.instead = instead
    with pytest.raises(CommandError) as refused:
        by_api(door, *arguments)
    assert line in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("localhost:4566", "is not a URL such as https://<id>.execute-api"),
        ("ftp://x", "is not a URL such as"),
        ("https://", "is not a URL such as"),
        ("https://[x", "is not a URL such as"),
        ("https://x:y", "is not a URL such as"),
        ("https://user:word@x", "is not a URL such as"),
        ("https://x/?a=b", "is not a URL such as"),
        ("http://example.com", "only an API on this machine may be called without TLS; use https://"),
    ],
)
def test_a_wrong_url_is_reported_before_anything_is_sent(door: Door, url: str, line: str) -> None:
    with pytest.raises(CommandError, match=line.replace("(", r"\(")):
        by_api(door, "explain", FAILED, url=url)
    assert door.asked == []


def test_the_token_is_the_environments(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "a.b-c")
    by_api(door, "explain", FAILED)
    assert door.asked[0][2]["authorization"] == "Bearer a.b-c"
    door.authorizer = {}
    with pytest.raises(CommandError, match=f"401, the token in {TOKEN} is not valid"):
        by_api(door, "explain", FAILED)
    for wrong in ("", "a b", "secret\nx: y"):
        monkeypatch.setenv(TOKEN, wrong)
        with pytest.raises(CommandError, match="is empty or not a bearer token") as refused:
            by_api(door, "explain", FAILED)
        assert "secret" not in str(refused.value)


def test_elsewhere_requests_are_signed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    by_api(door, "explain", FAILED, url="https://abc.execute-api.eu-west-1.amazonaws.com/")
    assert "Credential=AKIAEXAMPLE/" in door.asked[0][2]["Authorization"]
    assert "/eu-west-1/execute-api/aws4_request" in door.asked[0][2]["Authorization"]
    assert door.asked[0][2]["x-cqrs-tenant"] == "t1"
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.delenv("AWS_REGION", raising=False)
    with pytest.raises(CommandError, match=r"the region of https://api\.example is not known"):
        by_api(door, "explain", FAILED, url="https://api.example")
    with pytest.raises(CommandError, match=r"profile \(none\) could not be found"):
        by_api(door, "explain", FAILED, "--profile", "none", url="https://api.example")


def test_what_goes_by_the_stack_alone_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resync", "one", "--api", URL]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("cqrs: error: --api: this command works on the stack itself; omit --api, and use")


def test_an_approval_is_answered(world: ApiWorld, door: Door, capsys: pytest.CaptureFixture[str]) -> None:
    asking = Approvals(world.world.store, world.world.clock, world.workflows)
    for request in ("r1", "r2"):
        key = (approval_partition("t1"), approval_sk("approval", request))
        asking.ask(key, f"token-{request}", 0, execution="e", subject="three chairs", requestedBy="u9")
    for form in ([], ["--json"], ["--workflow", "none"]):
        assert on_tables(world, "approvals", "--tenant", "t1", *form) == 0
        expected = capsys.readouterr().out
        assert by_api(door, "approvals", "--tenant", "t1", *form) == 0
        assert capsys.readouterr().out == expected
    assert by_api(door, "approve", "approval", "r1", "--tenant", "t1") == 0
    assert capsys.readouterr().out.startswith("approval r1: APPROVED by u1\n")
    assert by_api(door, "approve", "approval", "r2", "--tenant", "t1", "--reject", "too dear", "--json") == 0
    assert json.loads(capsys.readouterr().out)["reason"] == "too dear"
    assert by_api(door, "approvals", "--tenant", "t1") == 0
    assert capsys.readouterr().out == "No approval of tenant t1 is open.\n"
    with pytest.raises(CommandError, match="; explain and show print its current state"):
        by_api(door, "approve", "approval", "r2", "--tenant", "t1")


def test_who_decides_is_said_once(world: ApiWorld, capsys: pytest.CaptureFixture[str]) -> None:
    answer = ["approve", "approval", "r1", "--tenant", "t1"]
    assert main([*answer, "--by", "me", "--api", URL]) == 1
    assert capsys.readouterr().err == "cqrs: error: --by can't be used with --api, where the caller decides\n"
    with pytest.raises(CommandError, match="give --by NAME"):
        on_tables(world, *answer)


def test_one_way_at_a_time(door: Door) -> None:
    with pytest.raises(CommandError, match="give either --api, or --endpoint"):
        by_api(door, "explain", FAILED, "--endpoint", URL)


def test_other_errors_keep_their_words() -> None:
    assert line_of(CommandError("a\nb"), Api(ApiArgs(URL))) == "a b"
