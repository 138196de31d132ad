"""Publishing through the API: what is answered, what is written; API-06 and API-08."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handlers.core.errors import ValidationError
from handlers.store.port import COMMANDS, IMPORT_TMP, TASKS
from tests.support.api import ApiWorld
from tests.support.operations import fail
from tests.support.pipelines import World

ORDER = {"type": "ORDER", "code": "o1", "name": "first", "attributes": {"n": 1, "nothing": None}}


@pytest.fixture
def api() -> ApiWorld:
    return ApiWorld()


def test_a_command_is_accepted(api: ApiWorld) -> None:
    answer = api.post("/commands", ORDER)
    assert answer.status == 202
    assert (answer.body["changed"], answer.body["outcome"]) == (True, "OPEN")
    command = answer.body["command"]
    assert (command["version"], command["tenantCode"], command["source"]) == (1, "t1", "api")
    assert command["attributes"] == ORDER["attributes"]
    assert (command["createdBy"], command["createdIp"]) == ("u1", "203.0.113.7")
    assert "pk" not in command
    row = api.world.row(1)
    assert (row["status"], row["createdBy"]) == ("publish:ACCEPTED", "u1")


def test_nothing_is_written_where_nothing_changes(api: ApiWorld) -> None:
    api.post("/commands", ORDER)
    answer = api.post("/commands", {**ORDER, "version": 1})
    assert (answer.status, answer.body["changed"], answer.body["command"]["version"]) == (200, False, 1)


def test_sync_applies_before_it_answers(api: ApiWorld) -> None:
    answer = api.post("/commands", ORDER, query="mode=sync")
    assert (answer.status, answer.body["outcome"]) == (200, "APPLIED")
    assert answer.body["targets"]["data"]["outcome"] == "APPLIED"
    assert api.get("/entities/ORDER/o1").body["entity"]["version"] == 1


class Refusing:
    """A sync handler whose error is one that the API has an answer for, if it came before the command was accepted."""

    def up(self, command: Any) -> None:
        raise ValidationError("secret", command.attributes, "nothing")


def test_sync_reports_a_handler_that_fails() -> None:
    api = ApiWorld(handlers={"one": ("ORDER", Refusing())})
    answer = api.post("/commands", ORDER, query="mode=sync")
    assert (answer.status, answer.body["outcome"]) == (200, "FAILED")
    assert answer.body["error"]["type"] == "ValidationError"
    assert api.world.alarms.messages


def test_sync_is_refused_behind_an_open_version(api: ApiWorld) -> None:
    api.post("/commands", ORDER)
    answer = api.post("/commands", {**ORDER, "name": "second", "version": 1}, query="mode=sync")
    assert (answer.status, answer.body["type"]) == (409, "urn:cqrs:problem:pending-versions")
    assert answer.body["currentVersion"] == 1


def test_a_part_is_changed(api: ApiWorld) -> None:
    api.publish(n=1, m=2)
    answer = api.patch("/commands/ORDER/o1", {"attributes": {"n": 3}})
    assert (answer.status, answer.body["command"]["version"]) == (202, 2)
    assert answer.body["command"]["attributes"] == {"n": 3, "m": 2}
    assert answer.body["command"]["name"] == "o1"


def test_a_part_of_nothing_can_not_be_changed(api: ApiWorld) -> None:
    answer = api.patch("/commands/ORDER/none", {"name": "x"})
    assert (answer.status, answer.body["type"]) == (404, "urn:cqrs:problem:not-found")


def test_a_batch_goes_on_behind_a_bad_command(api: ApiWorld) -> None:
    api.publish("taken")
    commands = [
        ORDER,
        {**ORDER, "code": "taken"},
        {**ORDER, "code": "a#b"},
        {"code": "x"},
        {**ORDER, "code": "o2", "tenantCode": "t2"},
        {**ORDER, "code": "o3"},
    ]
    answer = api.post("/commands/batch", {"commands": commands})
    assert answer.status == 200
    assert [one["status"] for one in answer.body["results"]] == [202, 409, 422, 422, 422, 202]
    assert answer.body["failed"] == 4
    assert answer.body["results"][1]["problem"]["currentVersion"] == 1
    assert answer.body["results"][2]["problem"]["errors"][0]["field"] == "code"
    assert answer.body["results"][5]["published"]["command"]["code"] == "o3"


def test_a_batch_has_at_most_a_hundred(api: ApiWorld) -> None:
    assert api.post("/commands/batch", {"commands": [ORDER] * 101}).status == 422
    assert api.post("/commands/batch", {"commands": []}).status == 422


# -- API-06 --------------------------------------------------------------------------------------------------------


def test_api_06_a_repeated_post_gives_the_first_answer(api: ApiWorld) -> None:
    first = api.post("/commands", ORDER, headers={"idempotency-key": "k1"})
    api.post("/commands", {**ORDER, "name": "second", "version": 1})
    again = api.post("/commands", ORDER, headers={"idempotency-key": "k1"})
    assert (again.status, again.body) == (first.status, first.body)
    assert api.world.row(2)["name"] == "second"


def test_api_06_other_content_under_the_same_key_is_refused(api: ApiWorld) -> None:
    api.post("/commands", ORDER, headers={"idempotency-key": "k1"})
    answer = api.post("/commands", {**ORDER, "name": "other"}, headers={"Idempotency-Key": "k1"})
    assert (answer.status, answer.body["type"]) == (409, "urn:cqrs:problem:request-conflict")


@pytest.mark.parametrize("first", ["post", "patch"])
def test_api_06_another_change_under_the_same_key_is_refused(api: ApiWorld, first: str) -> None:
    key = {"idempotency-key": "k1"}
    if first == "post":
        api.post("/commands", ORDER, headers=key)
    else:
        api.publish(n=1)
        api.patch("/commands/ORDER/o1", {"attributes": {"n": 2}}, headers=key)
    rows = items(api, COMMANDS)
    for path, change in (("o1", {"attributes": {"n": 3}}), ("o1", {"name": "x"}), ("o2", {"attributes": {"n": 2}})):
        answer = api.patch(f"/commands/ORDER/{path}", change, headers=key)
        assert (answer.status, answer.body["type"]) == (409, "urn:cqrs:problem:request-conflict"), change
        assert "'k1'" in answer.body["detail"]
    assert items(api, COMMANDS) == rows


def test_api_06_a_repeated_patch_is_not_merged_into_what_came_behind_it(api: ApiWorld) -> None:
    api.publish(n=1)
    first = api.patch("/commands/ORDER/o1", {"attributes": {"n": 2}}, headers={"idempotency-key": "k2"})
    api.patch("/commands/ORDER/o1", {"attributes": {"m": 5}})
    again = api.patch("/commands/ORDER/o1", {"attributes": {"n": 2}}, headers={"idempotency-key": "k2"})
    assert again.body["command"] == first.body["command"]
    assert api.get("/entities/ORDER/o1/history").body["items"][0]["command"]["version"] == 3


def test_api_06_batches_tasks_and_imports_as_well(api: ApiWorld) -> None:
    key = {"idempotency-key": "k3"}
    commands = {"commands": [ORDER, {**ORDER, "code": "o2"}]}
    task = {"type": "job", "input": 1}
    row = {"table": "airports", "row": {"ident": "00A"}}
    for path, body in (("/commands/batch", commands), ("/tasks", task), ("/imports/rows", row)):
        first = api.post(path, body, headers=key)
        assert first.status in (200, 202), first
        assert api.post(path, body, headers=key).body == first.body, path
    rows = {table: len(items(api, table)) for table in (COMMANDS, TASKS, IMPORT_TMP)}
    assert rows == {COMMANDS: 4, TASKS: 2, IMPORT_TMP: 1}  # with the rows that remember the keys


def items(api: ApiWorld, table: str) -> list[dict[str, Any]]:
    return api.world.store.scan(table).items


def test_api_06_a_key_that_no_row_can_have_is_refused(api: ApiWorld) -> None:
    for key in ("a@b", "x" * 201):
        answer = api.post("/commands", ORDER, headers={"idempotency-key": key})
        assert (answer.status, answer.body["errors"][0]["field"]) == (422, "idempotency-key"), key
    assert api.post("/commands/batch", {"commands": [ORDER]}, headers={"idempotency-key": "x" * 199}).status == 422


# -- API-08 --------------------------------------------------------------------------------------------------------


def waiting(act: Any) -> ApiWorld:
    """An API whose first look at an open command is followed by ``act`` on its run."""
    api = ApiWorld()
    acted: list[float] = []

    def sleep(seconds: float) -> None:
        if not acted:
            act(api.world)
        acted.append(seconds)
        api.world.clock.advance(seconds)

    api.sleeping = sleep
    return api


def run_of(world: World) -> Any:
    from handlers.commands.pipeline.run import Run

    command = world.command(1)
    return Run(command.key, command.id, 1, "execution")


def test_api_08_wait_shows_that_it_was_applied() -> None:
    api = waiting(lambda world: world.apply(run_of(world)))
    answer = api.post("/commands", ORDER, query="wait=20")
    assert (answer.status, answer.body["outcome"], answer.body["status"]) == (200, "APPLIED", "finish:FINISHED")


def test_api_08_wait_shows_that_it_failed() -> None:
    api = waiting(lambda world: fail(world, run_of(world)))
    answer = api.post("/commands", ORDER, query="wait=5")
    assert (answer.status, answer.body["outcome"]) == (200, "FAILED")
    assert answer.body["error"]["message"] == "it broke"


def test_api_08_wait_ends_when_the_time_is_over() -> None:
    api = ApiWorld()
    begun = api.world.clock.now()
    answer = api.post("/commands", ORDER, query="wait=3")
    assert (answer.status, answer.body["outcome"]) == (202, "OPEN")
    assert api.world.clock.now() - begun == pytest.approx(3)


@pytest.mark.parametrize("wait", ["21", "-1", "1.5", "", "x", "3&wait=4", "99999999999999999999"])
def test_api_08_wait_is_a_number_of_at_most_20(api: ApiWorld, wait: str) -> None:
    answer = api.post("/commands", ORDER, query=f"wait={wait}")
    assert (answer.status, answer.body["errors"][0]["field"]) == (422, "wait")
    assert items(api, COMMANDS) == []


def test_api_08_wait_behind_a_change(api: ApiWorld) -> None:
    api.publish(n=1)
    assert api.patch("/commands/ORDER/o1", {"name": "x"}, query="wait=1").status == 202


# -- large attributes ------------------------------------------------------------------------------------------------


def test_large_attributes_are_uploaded_first(api: ApiWorld) -> None:
    upload = api.post("/commands/uploads").body
    assert upload["key"].startswith("imports/t1/large/")
    assert (upload["method"], upload["url"].endswith(upload["key"])) == ("PUT", True)
    api.world.objects.put(upload["key"], json.dumps({"text": "x" * 2_000_000}).encode())
    given = {"type": "ORDER", "code": "o1", "name": "large", "attributesFrom": upload["key"]}
    answer = api.post("/commands", given)
    assert answer.status == 202
    assert answer.body["command"]["attributes"] is None
    url = answer.body["command"]["attributesUrl"]
    assert url.startswith("https://objects.invalid/get/attributes/t1/")
    key = url.removeprefix("https://objects.invalid/get/")
    assert len(api.world.objects.get(key, max_bytes=3_000_000)) == 2_000_011


def test_a_batch_of_uploads_and_conflicts_stays_small(api: ApiWorld) -> None:
    upload = api.post("/commands/uploads").body
    api.world.objects.put(upload["key"], json.dumps({"text": "x" * 900_000}).encode())
    given = [{"type": "ORDER", "code": f"l{n}", "name": "n", "attributesFrom": upload["key"]} for n in range(8)]
    for statuses in ([202] * 8, [200] * 8, [409] * 8):
        answer = api.post("/commands/batch", {"commands": given})
        assert [one["status"] for one in answer.body["results"]] == statuses
        assert len(answer.text) < 20_000
        version = 1 if statuses[0] == 202 else 7
        given = [{**one, "version": version} for one in given]


@pytest.mark.parametrize(
    ("key", "content", "status"),
    [
        ("imports/t2/large/x/attributes.json", b"{}", 403),
        ("attributes/t1/x", b"{}", 403),
        ("imports/t1/large/x/none.json", None, 422),
        ("imports/t1/large/x/list.json", b"[]", 422),
        ("imports/t1/large/x/text.json", b"\xff", 422),
    ],
)
def test_an_upload_that_can_not_be_taken(api: ApiWorld, key: str, content: bytes | None, status: int) -> None:
    if content is not None:
        api.world.objects.put(key, content)
    given = {"type": "ORDER", "code": "o1", "name": "large", "attributesFrom": key}
    assert api.post("/commands", given).status == status
    assert items(api, COMMANDS) == []


def test_attributes_come_one_way_or_the_other(api: ApiWorld) -> None:
    without = {name: value for name, value in ORDER.items() if name != "attributes"}
    assert api.post("/commands", without).status == 422
    assert api.post("/commands", {**ORDER, "attributesFrom": "imports/t1/large/x"}).status == 422
