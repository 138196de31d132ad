"""API-09: what is too long, malformed or of another type; every refusal is a problem, and nothing is written."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from handlers.api.http.requests import MAX_BODY_BYTES
from tests.support.api import ApiWorld, answer_of, event_of, token

ORDER = {"type": "ORDER", "code": "o1", "name": "first", "attributes": {"n": 1}}


@pytest.fixture
def api() -> ApiWorld:
    return ApiWorld()


def sent(api: ApiWorld, **change: Any) -> Any:
    event = {**event_of("POST", "/commands", ORDER, authorizer=token()), **change}
    answer = answer_of(api.api(event, None))
    written = api.world.store.scan("commands").items
    assert (written == []) == (answer.status >= 400)
    if answer.status >= 400:
        assert answer.headers["Content-Type"] == "application/problem+json"
    return answer


def test_api_09_a_body_in_base64(api: ApiWorld) -> None:
    assert sent(api, body=base64.b64encode(json.dumps(ORDER).encode()).decode(), isBase64Encoded=True).status == 202


@pytest.mark.parametrize(
    ("body", "encoded"),
    [
        ("{", False),
        ("", False),
        ("nothing", False),
        ('{"a": NaN}', False),
        ('{"a": 1e999}', False),
        ("[" * 100_000, False),
        ('{"a": ' + "9" * 5_000 + "}", False),
        ("\ud800", False),
        ("!!", True),
        (base64.b64encode(b"\xff\xfe").decode(), True),
    ],
)
def test_api_09_a_body_that_is_no_json(api: ApiWorld, body: str, encoded: bool) -> None:
    answer = sent(api, body=body, isBase64Encoded=encoded)
    missing_or_huge = body == "" or "e999" in body
    assert answer.status == (422 if missing_or_huge else 400)


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "true"])
def test_api_09_json_that_is_no_object(api: ApiWorld, body: str) -> None:
    assert sent(api, body=body).status == 422


def test_api_09_a_body_above_a_megabyte(api: ApiWorld) -> None:
    frame = len(json.dumps({**ORDER, "attributes": {"t": ""}}))
    fits = {**ORDER, "attributes": {"t": "x" * (MAX_BODY_BYTES - frame)}}
    assert len(json.dumps(fits)) == MAX_BODY_BYTES
    assert sent(api, body=json.dumps(fits) + " ").status == 413
    assert sent(api, body="é" * (MAX_BODY_BYTES // 2 + 1)).status == 413
    assert sent(api, body="x" * (3 * MAX_BODY_BYTES)).status == 413
    assert sent(api, body=json.dumps(fits)).status == 202


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonx"]
)
def test_api_09_another_type_of_body(api: ApiWorld, media_type: str) -> None:
    answer = sent(api, headers={"content-type": media_type})
    assert (answer.status, answer.body["type"]) == (415, "urn:cqrs:problem:wrong-media-type")
    assert sent(api, headers={}).status == 415


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON; charset=utf-8", " application/json "])
def test_api_09_ways_to_say_json(api: ApiWorld, media_type: str) -> None:
    assert sent(api, headers={"Content-Type": media_type}).status == 202


def test_api_09_a_route_without_a_body_takes_no_form(api: ApiWorld) -> None:
    """A page of another site can send a form, but no JSON without asking first."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert api.post("/failed/redrive", "dryRun=true", headers=headers).status == 415
    assert api.post("/entities/ORDER/o1/versions/1/skip", "", headers=headers).status == 415
    assert api.post("/entities/ORDER/o1/versions/1/skip", None).status == 404


@pytest.mark.parametrize(
    "change",
    [
        {"rawPath": "/entities/ORDER/%ff"},
        {"rawPath": "/entities/ORDER/" + "x" * 9_000},
        {"rawPath": "/entities/ORDER/\ud800"},
        {"rawQueryString": "prefix=%ff"},
        {"rawQueryString": "x" * 9_000},
        {"rawQueryString": "&".join(f"a{n}=1" for n in range(60))},
        {"headers": {"x-more": "x" * 11_000}},
    ],
)
def test_api_09_what_can_not_be_read(api: ApiWorld, change: dict[str, Any]) -> None:
    event = {**event_of("GET", "/entities/ORDER", authorizer=token()), **change}
    answer = answer_of(api.api(event, None))
    assert (answer.status, answer.body["type"]) == (400, "urn:cqrs:problem:malformed-request")


@pytest.mark.parametrize("code", ["x" * 1_100, "a#b", "a@1", " a", "a\n", "\u200b", "a\x00", "e\u0301"])
def test_api_09_a_path_that_is_no_key(api: ApiWorld, code: str) -> None:
    for path in (f"/entities/ORDER/{code}", f"/entities/{code}", f"/entities/ORDER/{code}/history"):
        answer = api.get(path)
        assert (answer.status, answer.body["type"]) in (
            (422, "urn:cqrs:problem:validation"),
            (404, "urn:cqrs:problem:no-route"),
        ), path


def test_api_09_a_parameter_that_is_given_twice(api: ApiWorld) -> None:
    assert api.get("/entities/ORDER", query="limit=1&limit=2").status == 422
    assert api.get("/entities/ORDER", query="prefix=a&prefix=b").status == 422
