"""The API's function on a deployment, called as API Gateway does, within virtual time."""

from __future__ import annotations

from typing import Any

from contract.objects import IMPORTS
from tests.support.api import Answer, answer_of, event_of, part, token
from tests.support.deployments import Deployed
from tests.support.imports import DeployedImports


def call(
    deployed: Deployed, method: str, path: str, body: Any = None, *, seconds: float | None = None, **more: Any
) -> Answer:
    """One request of a writer and operator of t1, and what follows from it within ``seconds``; None: all of it."""
    more.setdefault("authorizer", token())
    answers: list[Any] = []
    event = event_of(method, path, body, **more)
    name = deployed.runtime.outputs["apiFunctionArn"].rpartition(":")[2]
    deployed.scheduler.spawn(lambda: answers.append(deployed.runtime.host.invoke(name, event)), name="request")
    if seconds is None:
        deployed.run()
    else:
        deployed.scheduler.run_for(seconds)
    [result] = answers
    assert result.error is None, result.error
    return answer_of(result.payload)


def the_api_is_used(deployed: DeployedImports) -> None:
    """Every kind of call that the function's role allows."""
    large: dict[str, Any] = {"text": "x" * 100_000}

    def order(code: str, version: int = 0, /, **attributes: Any) -> dict[str, Any]:
        return {"type": "ORDER", "code": code, "name": code, "attributes": attributes, "version": version}

    first = call(deployed, "POST", "/commands", order("api", **large), headers={"idempotency-key": "k"})
    assert first.status == 202, first
    assert call(deployed, "GET", "/entities/ORDER/api").body["entity"]["attributes"] == large
    assert call(deployed, "POST", "/commands", order("api", 1, n=2), query="mode=sync").body["outcome"] == "APPLIED"
    assert [one["outcome"] for one in call(deployed, "GET", "/entities/ORDER/api/history").body["items"]] == [
        "APPLIED",
        "APPLIED",
    ]
    assert call(deployed, "GET", "/entities/ORDER").status == 200
    assert call(deployed, "GET", "/entities/ORDER/api/versions/1/run").body["status"] in ("SUCCEEDED", None)
    assert call(deployed, "GET", "/overview").body["open"] == 0
    assert call(deployed, "GET", "/alarms").body["items"] == []  # declared only: nothing here measures
    assert "airports" in call(deployed, "GET", "/catalogue").body["importTables"]
    upload = call(deployed, "POST", "/commands/uploads").body
    deployed.upload(b'{"n": 3}', upload["key"].removeprefix(IMPORTS))
    uploaded = {"type": "ORDER", "code": "up", "name": "n", "attributesFrom": upload["key"]}
    assert call(deployed, "POST", "/commands", uploaded).status == 202
    _failures(deployed, order)
    task = call(deployed, "POST", "/tasks", {"type": "job", "items": [1, 2]}).body
    assert call(deployed, "GET", f"/tasks/{part(task['id'])}").body["status"] == "COMPLETED"
    assert call(deployed, "POST", f"/tasks/{part(task['id'])}/cancel").status == 409
    assert task["id"] in [one["id"] for one in call(deployed, "GET", "/tasks").body["items"]]
    job = call(deployed, "POST", "/imports", {"table": "airports", "key": "imports/t1/none.csv"}).body
    assert call(deployed, "GET", f"/imports/{part(job['id'])}").body["status"] == "FAILED"
    assert call(deployed, "GET", f"/imports/{part(job['id'])}/rows").status == 200
    assert call(deployed, "POST", f"/imports/{part(job['id'])}/retry").status == 202


def _failures(deployed: DeployedImports, order: Any) -> None:
    def refuse(_: Any) -> None:
        raise ValueError("no")

    deployed.recorder.behaviours["two"] = refuse
    assert call(deployed, "POST", "/commands", order("bad"), query="mode=sync").body["outcome"] == "FAILED"
    call(deployed, "POST", "/commands", order("bad", 1, n=2), seconds=20)
    deployed.recorder.behaviours.clear()
    assert call(deployed, "POST", "/failed/redrive", {"dryRun": True}, seconds=1).body["counts"]["WOULD_REDRIVE"] >= 1
    path = "/entities/ORDER/bad/versions/1"
    assert call(deployed, "GET", path, seconds=1).body["outcome"] == "FAILED"
    assert call(deployed, "GET", "/entities/ORDER/bad/explain", seconds=1).status == 200
    # The successor waits with its token, or parked: both are woken.
    assert call(deployed, "POST", f"{path}/skip", seconds=1).body["woken"] is True
    deployed.recorder.behaviours["two"] = refuse
    assert call(deployed, "POST", "/commands", order("again")).status == 202
    deployed.recorder.behaviours.clear()
    assert call(deployed, "POST", "/entities/ORDER/again/versions/1/redrive").body["counts"] == {"REDRIVEN": 1}
    assert call(deployed, "GET", "/entities/ORDER/again/versions/1").body["outcome"] == "APPLIED"
