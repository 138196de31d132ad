"""What is sent, what is sent again, and which exception an answer is."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials

from client_tests.fakes import ENTITY, GONE, URL, Api, published, refused
from cqrs_client import (
    ApiError,
    ClientError,
    Conflict,
    Forbidden,
    NotFound,
    Rejected,
    ServerError,
    Throttled,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unreachable,
    VersionConflict,
    connect,
)
from cqrs_client.transport import Answer, Bearer, Retries, Signed, path_part

STATE = {"entity": ENTITY, "pending": []}


@pytest.mark.parametrize(
    ("part", "sent"),
    [
        ("o1", "o1"),
        ("a-b_c.d~e", "a-b_c.d~e"),
        ("a/b", "a%252Fb"),
        ("a b", "a%2520b"),
        ("100%", "100%2525"),
        ("ä", "%25C3%25A4"),
        ("..", "%252E%252E"),
        ("a?b", "a%253Fb"),
    ],
)
def test_parts_of_paths_are_encoded_for_a_gateway_that_decodes_them(part: str, sent: str) -> None:
    assert path_part(part) == sent


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        Api().client().entities.get("ORDER", "")


def test_what_is_sent() -> None:
    api = Api([published(), STATE])
    client = api.client(tenant="t1")
    client.commands.publish("ORDER", "o1", "Fürst", {"lines": 2}, idempotency_key="k", wait=5, sync=True)
    client.entities.get("ORDER", "a/b", include_deleted=True)
    publish, get = api.asked
    assert (publish.method, publish.path) == ("POST", "/commands?wait=5&mode=sync")
    assert json.loads(publish.body) == {
        "type": "ORDER",
        "code": "o1",
        "name": "Fürst",
        "attributes": {"lines": 2},
        "version": 0,
        "isDeleted": False,
    }
    assert publish.headers == {
        "accept": "application/json",
        "content-type": "application/json",
        "idempotency-key": "k",
        "x-cqrs-tenant": "t1",
    }
    assert (get.method, get.path, get.body) == ("GET", "/entities/ORDER/a%252Fb?includeDeleted=true", None)


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (400, "not-json", Rejected),
        (401, None, Unauthenticated),
        (403, "forbidden", Forbidden),
        (404, "not-found", NotFound),
        (409, "pending-versions", Conflict),
        (409, "version-conflict", VersionConflict),
        (413, "body-too-large", TooLarge),
        (415, "wrong-media-type", Rejected),
        (418, None, ApiError),
        (422, "validation", Rejected),
        (429, "throttled", Throttled),
        (500, "internal", ServerError),
        (503, "transient", Unavailable),
    ],
)
def test_each_answer_is_an_exception_of_its_own(status: int, kind: str | None, expected: type[ApiError]) -> None:
    api = Api([refused(status, kind=kind, detail="told", requestId="r1")] * 4)
    with pytest.raises(ApiError) as caught:
        api.client().commands.publish("ORDER", "o1", "First", {})
    error = caught.value
    assert type(error) is expected
    assert (error.status, error.kind, error.detail, error.request_id) == (status, kind or "", "told", "r1")


def test_a_conflict_has_the_current_version_and_a_rejection_the_fields() -> None:
    wrong = {"field": "code", "value": "a#b", "allowed": "text without '#'"}
    api = Api(
        [
            refused(409, kind="version-conflict", currentVersion=4, current=ENTITY),
            refused(422, kind="validation", errors=[wrong]),
        ]
    )
    with pytest.raises(VersionConflict) as conflict:
        api.client().commands.publish("ORDER", "o1", "First", {})
    assert conflict.value.current_version == 4
    assert conflict.value.current == ENTITY
    with pytest.raises(Rejected) as rejected:
        api.client().commands.publish("ORDER", "a#b", "First", {})
    (field,) = rejected.value.errors
    assert (field.field, field.value, field.allowed) == ("code", "a#b", "text without '#'")


def test_an_answer_that_is_no_problem_document_is_reported_unchanged() -> None:
    for body, detail in ((b"<html>", "<html>"), (b'{"message":"Not Found"}', "Not Found"), (b"[1]", "[1]")):
        with pytest.raises(NotFound) as caught:
            Api([Answer(404, {}, body)]).client().entities.get("ORDER", "o1")
        assert (caught.value.detail, caught.value.kind) == (detail, "")


@pytest.mark.parametrize("failure", [refused(503), refused(500), refused(502), refused(504), GONE])
def test_only_what_cannot_happen_twice_is_sent_again(failure: Any) -> None:
    read = Api([failure, STATE])
    read.client().entities.get("ORDER", "o1")
    assert len(read.asked) == 2
    keyed = Api([failure, failure, published()])
    keyed.client().commands.publish("ORDER", "o1", "First", {}, idempotency_key="k")
    assert [one.headers["idempotency-key"] for one in keyed.asked] == ["k"] * 3
    plain = Api([failure])
    with pytest.raises((ServerError, Unreachable)):
        plain.client().commands.publish("ORDER", "o1", "First", {})
    assert len(plain.asked) == 1


def test_what_the_gateway_turned_away_is_sent_again_when_it_says() -> None:
    api = Api([refused(429, after=3, message="Too Many Requests"), published()])
    api.client().commands.publish("ORDER", "o1", "First", {})
    assert api.slept == [3.0]


def test_what_was_throttled_further_inside_is_sent_again_only_where_it_may() -> None:
    plain = Api([refused(429, kind="throttled")])
    with pytest.raises(Throttled):
        plain.client().commands.publish("ORDER", "o1", "First", {})
    keyed = Api([refused(429, kind="throttled"), published()])
    keyed.client().commands.publish("ORDER", "o1", "First", {}, idempotency_key="k")
    assert (len(plain.asked), len(keyed.asked)) == (1, 2)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_what_will_not_change_is_not_sent_again(status: int) -> None:
    api = Api([refused(status)])
    with pytest.raises(ApiError):
        api.client().entities.get("ORDER", "o1")
    assert (len(api.asked), api.slept) == (1, [])


def test_attempts_end() -> None:
    for failure, expected in ((refused(503), Unavailable), (GONE, Unreachable)):
        api = Api([failure] * 9)
        with pytest.raises(expected):
            api.client().entities.get("ORDER", "o1")
        assert len(api.asked) == 4
        assert len(api.slept) == 3


def test_pauses_grow_and_have_an_end() -> None:
    retries = Retries(first=1.0, most=4.0)
    for number, most in ((2, 1.0), (3, 2.0), (4, 4.0), (9, 4.0)):
        assert all(0 <= retries.pause(number, None) <= most for _ in range(50))
    assert retries.pause(2, 7.0) == 7.0


def test_signatures_and_tokens() -> None:
    signed = Signed(lambda: Credentials("key", "secret", "session"), "eu-west-1")
    headers = signed("POST", f"{URL}/commands?wait=1", {"content-type": "application/json"}, b"{}")
    assert "/eu-west-1/execute-api/aws4_request" in headers["Authorization"]
    assert headers["X-Amz-Security-Token"] == "session"
    assert headers["content-type"] == "application/json"
    with pytest.raises(ClientError, match="no AWS credentials"):
        Signed(lambda: None, "eu-west-1")("GET", URL, {}, b"")
    tokens = iter(["a", "b"])
    bearer = Bearer(lambda: next(tokens))
    assert [bearer("GET", URL, {}, b"")["authorization"] for _ in range(2)] == ["Bearer a", "Bearer b"]
    assert Bearer("fixed")("GET", URL, {}, b"") == {"authorization": "Bearer fixed"}


def test_where_the_api_is_and_who_calls() -> None:
    api = Api([STATE] * 3)
    aws = "https://a1.execute-api.eu-west-1.amazonaws.com"
    session = boto3.Session("key", "secret", region_name="us-east-1")
    connect(stack_outputs={"apiUrl": aws}, session=session, send=api).entities.get("ORDER", "o1")
    connect(f"{aws}/", token="t", send=api).entities.get("ORDER", "o1")
    connect(endpoint="http://127.0.0.1:4566", send=api).entities.get("ORDER", "o1")
    signed, token, local = api.asked
    assert signed.url == token.url == f"{aws}/entities/ORDER/o1"
    assert "/eu-west-1/execute-api/" in signed.headers["Authorization"]
    assert token.headers["authorization"] == "Bearer t"
    assert local.url == "http://127.0.0.1:4566/entities/ORDER/o1"
    assert not {"authorization", "Authorization"} & set(local.headers)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "exactly one"),
        ({"url": URL, "endpoint": URL}, "exactly one"),
        ({"stack_outputs": {}}, "has no output apiUrl"),
    ],
)
def test_it_has_to_be_said_where_the_api_is(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ClientError, match=told):
        connect(**given)


def test_a_real_connection_that_is_refused_is_reported(unused_port: int) -> None:
    client = connect(endpoint=f"http://127.0.0.1:{unused_port}", retries=Retries(attempts=1))
    with pytest.raises(Unreachable, match=r"GET http://127\.0\.0\.1"):
        client.entities.get("ORDER", "o1")
