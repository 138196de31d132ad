"""Payload format 2.0, held to the examples that AWS documents, and to what was seen on AWS."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from local.aws.http.model import WebRequest
from local.gateway.model import HttpApi, Route
from local.gateway.payload import Arrival, Malformed, answer_of, event_of
from local.gateway.routes import route_of

FIXTURES = Path(__file__).parents[3] / "fixtures" / "http_api"
DEFAULT = Route("$default", "f", 30, "NONE")


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8"))


def event(request: WebRequest, route: Route = DEFAULT, **variables: str) -> dict[str, Any]:
    return event_of(request, HttpApi("api-id", [route]), route, variables, Arrival(0, "id", "123456789012"))


def test_the_documented_event() -> None:
    documented = fixture("event_2_0.json")
    given = documented["request"]
    request = WebRequest(
        given["method"],
        given["path"],
        given["query"],
        [(name.lower(), value) for name, value in given["headers"]],
        given["body"].encode(),
        given["source_ip"],
    )
    expected = documented["event"]
    arrival = Arrival(documented["at"], "id", "123456789012", expected["requestContext"]["authorizer"])
    assert event_of(request, HttpApi("api-id", [DEFAULT]), DEFAULT, {}, arrival) == expected


@pytest.mark.parametrize("answer", fixture("answers_2_0.json")["answers"])
def test_the_documented_answers(answer: Any) -> None:
    made = answer_of(answer["given"])
    assert (made.status, [list(one) for one in made.headers], made.body) == (
        answer["status"],
        answer["headers"],
        answer["body"].encode(),
    )


@pytest.mark.parametrize("case", fixture("routes.json")["requests"])
def test_the_documented_routes(case: Any) -> None:
    routes = [Route(key, "f", 30, "NONE") for key in fixture("routes.json")["routes"]]
    method, path = case["request"].split(" ")
    for given in (routes, routes[::-1]):
        found = route_of(given, method, path)
        assert found is not None
        assert (found[0].key, found[1]) == (case["route"], case["variables"])


@pytest.mark.parametrize(
    ("keys", "request_", "expected"),
    [
        (["GET /a/{id}"], "GET /a/", None),
        (["GET /a/{id}"], "GET /a/b/c", None),
        (["GET /a"], "POST /a", None),
        (["ANY /a", "GET /{proxy+}"], "GET /a", "ANY /a"),
        (["ANY /a", "GET /a"], "GET /a", "GET /a"),
        (["GET /a/{x}", "GET /{y}/b"], "GET /a/b", "GET /a/{x}"),
        (["ANY /{proxy+}", "ANY /iam/{proxy+}"], "GET /iam/x", "ANY /iam/{proxy+}"),
    ],
)
def test_more_routes(keys: list[str], request_: str, expected: str | None) -> None:
    found = route_of([Route(key, "f", 30, "NONE") for key in keys], *request_.split(" "))
    assert (None if found is None else found[0].key) == expected


def test_the_path_is_decoded_and_the_query_is_not() -> None:
    made = event(WebRequest("GET", "/entities/a%20b%2Fc%252F", "q=a%20b&empty=", [("host", "localhost:1")]))
    assert made["rawPath"] == made["requestContext"]["http"]["path"] == "/entities/a b/c%2F"
    assert made["rawQueryString"] == "q=a%20b&empty="
    assert made["queryStringParameters"] == {"q": "a b", "empty": ""}
    assert made["requestContext"]["domainName"] == "localhost"
    assert event(WebRequest("GET", "/a%3Fb/c", "", []))["rawPath"] == "/a"


def test_what_a_request_lacks_the_event_lacks() -> None:
    made = event(WebRequest("GET", "/", "", []))
    assert not {"body", "cookies", "queryStringParameters", "pathParameters"} & set(made)
    assert "authorizer" not in made["requestContext"]


@pytest.mark.parametrize(
    ("kind", "is_text"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("text/csv", True),
        ("application/merge-patch+json", False),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
        (None, False),
    ],
)
def test_which_bodies_are_base64(kind: str | None, is_text: bool) -> None:
    headers = [] if kind is None else [("content-type", kind)]
    made = event(WebRequest("POST", "/", "", headers, b'{"a": 1}'))
    assert made["isBase64Encoded"] is not is_text
    assert (made["body"].encode() if is_text else base64.b64decode(made["body"])) == b'{"a": 1}'


def test_text_that_is_none_comes_as_base64() -> None:
    made = event(WebRequest("POST", "/", "", [("content-type", "application/json")], b"\xff"))
    assert (made["body"], made["isBase64Encoded"]) == ("/w==", True)


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "x"},
        {"statusCode": 200, "headers": []},
        {"statusCode": 200, "cookies": "a"},
        {"statusCode": 200, "body": "?", "isBase64Encoded": True},
    ],
)
def test_malformed_answers(answer: Any) -> None:
    with pytest.raises(Malformed):
        answer_of(answer)
