"""Requests that are answered at the same time, as on a laptop, don't meet: Powertools keeps one for the process."""

from __future__ import annotations

import threading

import pytest

from tests.support.api import ApiWorld, token


def test_one_that_waits_lets_others_in_between(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "cqrs.handlers")
    api = ApiWorld()
    between: list[str] = []

    def sleep(seconds: float) -> None:
        if not between:
            refused = api.post("/commands", {"type": "ORDER"}, authorizer=token("t2", ("reader",)))
            between.append(str(refused.status))
            answer = api.get("/tasks", authorizer=token("t2", ("reader",)))
            between.append(str(answer.status))
        api.world.clock.advance(seconds)

    api.sleeping = sleep
    body = {"type": "ORDER", "code": "o1", "name": "n", "attributes": {}}
    answer = api.post("/commands", body, query="wait=1")
    assert between == ["403", "200"]
    lines = [one.fields for one in caplog.records if one.message == "request"]  # type: ignore[attr-defined]
    assert [(one["route"], one["tenant"]) for one in lines] == [
        ("/commands", "t2"),
        ("/tasks", "t2"),
        ("/commands", "t1"),
    ]
    assert (answer.status, answer.body["command"]["tenantCode"]) == (202, "t1")


def test_threads_get_their_own_tenant() -> None:
    api = ApiWorld()
    wrong: list[object] = []

    def publish(tenant: str) -> None:
        for number in range(30):
            body = {"type": "ORDER", "code": f"{tenant}-{number}", "name": tenant, "attributes": {"of": tenant}}
            made = api.post("/commands", body, authorizer=token(tenant))
            command = made.body.get("command", {})
            if (made.status, command.get("tenantCode"), command.get("attributes")) != (202, tenant, {"of": tenant}):
                wrong.append(made)

    threads = [threading.Thread(target=publish, args=(f"t{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
