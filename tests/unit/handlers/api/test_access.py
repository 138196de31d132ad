"""API-02, API-03 and API-05: who may do what, for every route, role and tenant."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contract.api import OPERATOR, READER, ROLES, WRITER
from tests.support.api import ApiWorld, answer_of, event_of, part, principal, token

#: Route to what a request of it needs beside; parts of a path that name the tenant have t1's.
ULID = "0" * 26
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/commands"): {"type": "ORDER", "code": "o9", "name": "n", "attributes": {}},
    ("PATCH", "/commands/<type>/<code>"): {"name": "changed"},
    ("POST", "/commands/batch"): {"commands": [{"type": "ORDER", "code": "o9", "name": "n", "attributes": {}}]},
    ("POST", "/tasks"): {"type": "job", "input": 1},
    ("POST", "/imports/uploads"): {"fileName": "a.csv"},
    ("POST", "/imports"): {"table": "airports", "key": "imports/t1/a.csv"},
    ("POST", "/imports/rows"): {"table": "airports", "row": {"ident": "00A"}},
    ("POST", "/approvals/<workflow>/<id>/answer"): {"decision": "APPROVED"},
    ("POST", "/workflows/<name>"): {"id": "w1"},
    ("POST", "/failed/redrive"): {},
}
PARTS = {"type": "ORDER", "code": "o1", "version": "1", "workflow": "approval", "name": "three_steps"}
#: Routes whose parts name a tenant's own thing by an id with the tenant in it.
IDS = {"tasks": f"TASK#t1#job#{ULID}", "imports": f"CSV_IMPORT#t1#airports#{ULID}"}
ROUTES = sorted(ApiWorld().api.routes.info)


def path_of(rule: str, tenant: str = "t1") -> str:
    room = rule.split("/")[1]
    own = {**PARTS, "id": IDS.get(room, "r1").replace("#t1#", f"#{tenant}#")}
    return re.sub(r"<(\w+)>", lambda found: own[found[1]], rule)


def call(api: ApiWorld, route: tuple[str, str], authorizer: Any, tenant: str = "t1") -> Any:
    method, rule = route
    return api.call(method, path_of(rule, tenant), BODIES.get(route), authorizer=authorizer)


def everything(api: ApiWorld) -> list[Any]:
    return [api.world.store.scan(table).items for table in ("commands", "data", "tasks", "import_tmp", "history")]


#: The role that each route needs. Said here once more: a route that lost its role would walk through every test.
NEEDS = {
    ("GET", "/alarms"): OPERATOR,
    ("GET", "/approvals"): READER,
    ("GET", "/catalogue"): READER,
    ("GET", "/docs"): None,
    ("GET", "/entities/<type>"): READER,
    ("GET", "/entities/<type>/<code>"): READER,
    ("GET", "/entities/<type>/<code>/explain"): OPERATOR,
    ("GET", "/entities/<type>/<code>/history"): READER,
    ("GET", "/entities/<type>/<code>/versions/<version>"): READER,
    ("GET", "/entities/<type>/<code>/versions/<version>/run"): OPERATOR,
    ("GET", "/failed"): OPERATOR,
    ("GET", "/health"): None,
    ("GET", "/imports"): READER,
    ("GET", "/imports/<id>"): READER,
    ("GET", "/imports/<id>/files"): READER,
    ("GET", "/imports/<id>/report"): READER,
    ("GET", "/imports/<id>/rows"): READER,
    ("GET", "/openapi.json"): None,
    ("GET", "/overview"): READER,
    ("GET", "/tasks"): READER,
    ("GET", "/tasks/<id>"): READER,
    ("GET", "/tasks/<id>/items"): READER,
    ("GET", "/workflows/<name>"): READER,
    ("GET", "/workflows/<name>/<id>"): READER,
    ("GET", "/workflows/<name>/<id>/run"): READER,
    ("PATCH", "/commands/<type>/<code>"): WRITER,
    ("POST", "/approvals/<workflow>/<id>/answer"): WRITER,
    ("POST", "/commands"): WRITER,
    ("POST", "/commands/batch"): WRITER,
    ("POST", "/commands/uploads"): WRITER,
    ("POST", "/entities/<type>/<code>/versions/<version>/redrive"): OPERATOR,
    ("POST", "/entities/<type>/<code>/versions/<version>/skip"): OPERATOR,
    ("POST", "/failed/redrive"): OPERATOR,
    ("POST", "/imports"): WRITER,
    ("POST", "/imports/<id>/cancel"): OPERATOR,
    ("POST", "/imports/<id>/retry"): OPERATOR,
    ("POST", "/imports/rows"): WRITER,
    ("POST", "/imports/uploads"): WRITER,
    ("POST", "/tasks"): WRITER,
    ("POST", "/tasks/<id>/cancel"): OPERATOR,
    ("POST", "/tasks/<id>/retry"): OPERATOR,
    ("POST", "/workflows/<name>"): WRITER,
}


def test_api_05_the_roles_are_these() -> None:
    info = ApiWorld().api.routes.info
    assert {route: one.role for route, one in info.items()} == NEEDS


@pytest.mark.parametrize("route", sorted(NEEDS), ids=" ".join)
def test_api_05_only_the_role_is_let_in(route: tuple[str, str]) -> None:
    api = ApiWorld()
    api.publish(n=1)
    needed = NEEDS[route]
    for role in ("", *ROLES):
        before = everything(api)
        answer = call(api, route, token(roles=(role,)))
        allowed = needed is None or role == needed or (needed == READER and role in (WRITER, OPERATOR))
        if allowed:
            assert answer.status not in (401, 403, 500), (role, answer)
        else:
            assert (answer.status, answer.body["type"]) == (403, "urn:cqrs:problem:forbidden"), (role, answer)
            assert everything(api) == before


PUBLIC = ("GET", "/health")


def test_anybody_may_ask_whether_it_is_alive() -> None:
    answer = call(ApiWorld(), PUBLIC, None)
    assert (answer.status, answer.body) == (200, {"status": "ok"})


def test_signed_requests_may_come_below_a_prefix() -> None:
    api = ApiWorld()
    for path in ("/iam/entities/ORDER", "/iam/health", "/iam/docs"):
        assert api.get(path, authorizer=principal(ROLE)).status == 200
    for path in ("/iam", "/iamentities/ORDER", "/iam/iam/health", "/iam/"):
        assert api.get(path, authorizer=principal(ROLE)).status == 404


@pytest.mark.parametrize("route", sorted(set(NEEDS) - {PUBLIC}), ids=" ".join)
def test_api_03_nobody_is_refused_on_every_route(route: tuple[str, str]) -> None:
    api = ApiWorld()
    nobody: tuple[dict[str, Any] | None, ...] = (
        None,
        {},
        {"iam": None},
        {"iam": {"userArn": ""}},
        {"jwt": None},
        {"lambda": {"tenant": "t1"}},
    )
    for authorizer in nobody:
        answer = call(api, route, authorizer)
        assert (answer.status, answer.body["type"]) == (401, "urn:cqrs:problem:unauthenticated"), authorizer
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    strangers = (principal("arn:aws:iam::123456789012:role/other"), {"jwt": {"claims": {"sub": "u1"}}})
    for authorizer in strangers:
        answer = call(api, route, authorizer)
        assert (answer.status, answer.body["type"]) == (403, "urn:cqrs:problem:forbidden"), authorizer
    assert [rows for rows in everything(api) if rows] == []


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if "<id>" in one[1] and one[1].split("/")[1] in IDS], ids=" ".join
)
def test_api_02_an_id_of_another_tenant_is_forbidden(route: tuple[str, str]) -> None:
    api = ApiWorld()
    answer = call(api, route, token(), tenant="t2")
    assert (answer.status, answer.body["type"]) == (403, "urn:cqrs:problem:forbidden")


def test_api_02_what_another_tenant_has_is_not_there() -> None:
    """Paths name no tenant: each caller sees the own one's under the same path."""
    api = ApiWorld()
    api.publish(n=1)
    of_t2 = token("t2")
    assert api.get("/entities/ORDER/o1", authorizer=of_t2).status == 404
    assert api.get("/entities/ORDER", authorizer=of_t2).body["items"] == []
    assert api.get("/entities/ORDER/o1/history", authorizer=of_t2).status == 404
    assert api.get("/entities/ORDER/o1/explain", authorizer=of_t2).status == 404
    assert api.patch("/commands/ORDER/o1", {"name": "x"}, authorizer=of_t2).status == 404
    assert api.post("/entities/ORDER/o1/versions/1/redrive", authorizer=of_t2).status == 404
    assert api.get("/failed", authorizer=of_t2).body["items"] == []


@pytest.mark.parametrize("field", ["tenantCode", "tenant", "pk"])
def test_api_02_a_body_names_no_tenant(field: str) -> None:
    api = ApiWorld()
    for (method, rule), body in BODIES.items():
        answer = api.call(method, path_of(rule), {**body, field: "t2"})
        assert answer.status in (422, 404), (rule, answer)
    assert [rows for rows in everything(api) if rows] == []


def test_api_02_files_of_another_tenant_are_forbidden() -> None:
    api = ApiWorld()
    for key in ("imports/t2/a.csv", "imports/t1", "imports/t11/a.csv", "zip/t1/a.csv", "/imports/t1/a.csv"):
        answer = api.post("/imports", {"table": "airports", "key": key})
        assert (answer.status, answer.body["type"]) == (403, "urn:cqrs:problem:forbidden"), key
    nested = api.post("/imports", {"table": "airports", "key": "imports/a/b/x.csv"}, authorizer=token("a"))
    assert nested.status == 202  # a folder of a's own: what a tenant a/b has is below imports/a%2Fb/
    assert (
        api.post("/imports", {"table": "airports", "key": "imports/a/b/x.csv"}, authorizer=token("a/b")).status == 403
    )
    assert [row["tenantCode"] for row in api.world.store.scan("import_tmp").items] == ["a"]


def test_api_02_a_workflow_is_started_for_the_caller_alone() -> None:
    api = ApiWorld()
    assert api.post("/workflows/three_steps", {"id": "w", "input": {"tenantCode": "t2"}}).status == 403
    assert api.workflows.started == {}
    assert api.post("/workflows/three_steps", {"id": "w", "input": {"numbers": [1]}}).status == 202
    [(_, given)] = api.workflows.started.values()
    assert given == {"numbers": [1], "tenantCode": "t1", "requestedBy": "u1", "requestId": "w"}
    assert api.get("/workflows/three_steps/w").body["status"] == "RUNNING"
    assert api.get("/workflows/three_steps/w", authorizer=token("t2")).status == 404
    assert api.post("/workflows/three_steps", {"id": "w", "input": {}}, authorizer=token("t2")).status == 202


def test_api_02_executions_are_listed_for_the_tenant_that_started_them() -> None:
    """Names of executions look alike where tenants do; what an execution was started with tells them apart."""
    api = ApiWorld()
    for tenant in ("t1", "t1-w", "t1.w", "t2"):
        for id_ in ("w", f"of {tenant}"):
            made = api.post("/workflows/three_steps", {"id": id_}, authorizer=token(tenant))
            assert made.status == 202
    api.workflows.start("three_steps", {"tenantCode": "t1", "requestId": "w"}, "from outside")
    for tenant in ("t1", "t1-w", "t1.w", "t2"):
        listed = api.get("/workflows/three_steps", authorizer=token(tenant)).body["items"]
        assert [one["id"] for one in listed] == [f"of {tenant}", "w"]
        shown = api.get(f"/workflows/three_steps/{part(listed[0]['id'])}", authorizer=token(tenant)).body
        assert listed[0] == {name: shown[name] for name in listed[0]}
    assert api.get("/workflows/approval").body["items"] == []
    assert api.get("/workflows/three_steps", authorizer=token("t")).body["items"] == []


# -- identities ------------------------------------------------------------------------------------------------------


ROLE = "arn:aws:iam::123456789012:role/orders-of-t1"
SESSION = "arn:aws:sts::123456789012:assumed-role/orders-of-t1/session-7"
EVERYBODY = "arn:aws:sts::123456789012:assumed-role/everybody/x"


def whose(authorizer: Any, **more: Any) -> Any:
    api = ApiWorld()
    return api.post("/commands", BODIES["POST", "/commands"], authorizer=authorizer, **more)


def test_a_role_is_mapped_to_its_tenant() -> None:
    for arn in (ROLE, SESSION):
        answer = whose(principal(arn))
        assert (answer.status, answer.body["command"]["tenantCode"]) == (202, "t1")
        assert answer.body["command"]["createdBy"] == arn


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:sts::123456789012:assumed-role/orders-of-t2/session-of-t1",
        "arn:aws:sts::999999999999:assumed-role/orders-of-t1/x",
        "arn:aws:iam::123456789012:user/orders-of-t1",
        f"x{ROLE}",
        f"{ROLE}\n",
        f"{ROLE}2",
    ],
)
def test_another_principal_is_not(arn: str) -> None:
    assert whose(principal(arn)).status == 403


def test_several_tenants_are_distinguished_by_a_header() -> None:
    api = ApiWorld()
    caller = principal(EVERYBODY)
    assert api.get("/entities/ORDER", authorizer=caller).status == 403
    assert api.get("/entities/ORDER", authorizer=caller, tenant="t7").status == 200
    assert api.get("/entities/ORDER", authorizer=caller, tenant="a#b").status == 403
    assert api.post("/commands", BODIES["POST", "/commands"], authorizer=caller, tenant="t7").status == 403
    both = {"jwt": {"claims": {"sub": "u1", "tenant": "[t1 t2]", "roles": "reader"}}}
    assert api.get("/entities/ORDER", authorizer=both).status == 403
    assert api.get("/entities/ORDER", authorizer=both, tenant="t2").status == 200
    assert api.get("/entities/ORDER", authorizer=both, tenant="t3").status == 403


def test_the_header_opens_no_other_tenant() -> None:
    assert whose(token("t1"), tenant="t2").status == 403
    assert ApiWorld().get("/openapi.json", authorizer=token("t1"), tenant="t2").status == 403
    assert whose(principal(ROLE), tenant="t2").status == 403
    assert whose(token("*"), tenant="t2").status == 403


@pytest.mark.parametrize("claim", ["", "[]", "a#b", " "])
def test_a_claim_that_is_no_tenant(claim: str) -> None:
    assert whose({"jwt": {"claims": {"sub": "u1", "tenant": claim, "roles": "writer"}}}).status == 403


def test_an_event_of_another_kind_is_refused() -> None:
    api = ApiWorld()
    for event in (
        {},
        {"rawPath": "/health"},
        {"requestContext": {}, "rawPath": "/health"},
        {**event_of("GET", "/"), "rawPath": 1},
    ):
        answer = answer_of(api.api(event, None))
        assert (answer.status, answer.body["type"]) == (400, "urn:cqrs:problem:malformed-request")
