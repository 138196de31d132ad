"""A small program's HTTP API over a real socket: routes, callers, CORS, limits, faults of the function, events."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.aws.http.model import WebRequest
from local.gateway.gateway import MOST_AT_ONCE, Gateway
from local.runtime import LocalRuntime
from tests.unit.local.deploy.sample import write_project
from tests.unit.local.gateway.test_callers import OTHER, SECRET, token

PROGRAM = '''
import json
import pulumi
import pulumi_aws as aws

CODE = """
import json
import threading

WAITING, RELEASED = [], threading.Event()
CHANGED = threading.Condition()

def handler(event, context):
    path = event["rawPath"]
    if path == "/wait":
        with CHANGED:
            WAITING.append(1)
            CHANGED.notify_all()
        return {"statusCode": 200 if RELEASED.wait(15) else 504}
    if path == "/release":
        with CHANGED:
            CHANGED.wait_for(lambda: len(WAITING) == 40, timeout=15)
        RELEASED.set()
        return {"statusCode": 200}
    if path == "/fail":
        raise RuntimeError("secret inside")
    if path == "/malformed":
        return {"statusCode": "x"}
    if path == "/large":
        return {"statusCode": 200, "body": "x" * (7 * 1024 * 1024)}
    headers = {"content-type": "application/json", "access-control-allow-origin": "of the function"}
    return {"statusCode": 200, "headers": headers, "body": json.dumps(event)}
"""
role = aws.iam.Role("f", assume_role_policy=json.dumps({"Version": "2012-10-17", "Statement": []}))
function = aws.lambda_.Function(
    "f",
    name="sample-f",
    role=role.arn,
    runtime="python3.12",
    handler="app.handler",
    timeout=20,
    code=pulumi.AssetArchive({"app.py": pulumi.StringAsset(CODE)}),
)
# PERMISSION
aws.lambda_.Permission(
    "api", action="lambda:InvokeFunction", function=function.name, principal="apigateway.amazonaws.com"
)
# END
bus = aws.cloudwatch.EventBus("bus", name="sample-bus")
for name, cors in (("one", {"allow_origins": ["http://localhost:5173"], "allow_methods": ["POST"]}), ("two", None)):
    api = aws.apigatewayv2.Api(name, name=name, protocol_type="HTTP", cors_configuration=cors)
    integration = aws.apigatewayv2.Integration(
        name,
        api_id=api.id,
        integration_type="AWS_PROXY",
        integration_uri=function.invoke_arn,
        payload_format_version="2.0",
    )
    target = integration.id.apply(lambda id: f"integrations/{id}")
    authorizer = aws.apigatewayv2.Authorizer(
        name,
        api_id=api.id,
        name="tokens",
        authorizer_type="JWT",
        identity_sources=["$request.header.Authorization"],
        jwt_configuration={"issuer": "https://issuer", "audiences": ["api"]},
    )
    aws.apigatewayv2.Route(f"{name}-open", api_id=api.id, route_key="GET /open", target=target)
    aws.apigatewayv2.Route(
        f"{name}-all", api_id=api.id, route_key="ANY /{proxy+}", target=target, authorization_type="AWS_IAM"
    )
    aws.apigatewayv2.Route(
        f"{name}-token",
        api_id=api.id,
        route_key="GET /token",
        target=target,
        authorization_type="JWT",
        authorizer_id=authorizer.id,
    )
    aws.apigatewayv2.Stage(name, api_id=api.id, name="$default", auto_deploy=True)
    pulumi.export(name, api.api_endpoint)
'''


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRuntime]:
    folder = write_project(tmp_path_factory.mktemp("api"), program=PROGRAM)
    with LocalRuntime(project_dir=folder, port=0, token_secret=SECRET) as running:
        yield running


@pytest.fixture(scope="module")
def base(runtime: LocalRuntime) -> str:
    return str(runtime.outputs["one"])


def asked(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], Any]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path or "/", body, {"host": parts.netloc, **named})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, json.loads(text or b"null")


def test_the_first_api_is_where_the_endpoint_is_and_others_have_names(runtime: LocalRuntime, base: str) -> None:
    two = str(runtime.outputs["two"])
    assert base == runtime.url
    assert ".execute-api.localhost:" in two
    ids = {asked(f"{url}/open")[2]["requestContext"]["apiId"] for url in (base, two)}
    assert len(ids) == 2
    assert two.startswith(f"http://{asked(f'{two}/open')[2]['requestContext']['apiId']}.")


def test_a_request_reaches_the_function_with_its_caller(base: str) -> None:
    status, headers, event = asked(f"{base}/a/b%20c?q=1", "POST", b"{}", content_type="application/json")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert (event["routeKey"], event["rawPath"], event["pathParameters"]) == (
        "ANY /{proxy+}",
        "/a/b c",
        {"proxy": "a/b c"},
    )
    assert event["requestContext"]["authorizer"]["iam"]["userArn"] == "arn:aws:iam::123456789012:user/local"
    assert event["body"] == "{}"
    assert "authorizer" not in asked(f"{base}/open")[2]["requestContext"]


def test_a_signed_request_is_the_accounts(base: str) -> None:
    request = AWSRequest("GET", f"{base}/a")
    SigV4Auth(Credentials("local", "local"), "execute-api", "us-east-1").add_auth(request)
    _, _, event = asked(f"{base}/a", authorization=request.headers["Authorization"])
    assert event["requestContext"]["authorizer"]["iam"]["userArn"] == "arn:aws:iam::123456789012:root"


def test_tokens(runtime: LocalRuntime, base: str) -> None:
    claims = {"iss": "https://issuer", "aud": "api", "sub": "u1", "exp": runtime.scheduler.now() + 60}
    good = asked(f"{base}/token", authorization=f"Bearer {token(claims)}")[2]
    assert good["requestContext"]["authorizer"]["jwt"]["claims"]["sub"] == "u1"
    wrong = asked(f"{base}/token", authorization=f"Bearer {token(claims, OTHER)}")
    for status, headers, answer in (asked(f"{base}/token"), wrong):
        assert (status, headers["www-authenticate"], answer) == (401, "Bearer", {"message": "Unauthorized"})
    assert asked(f"{base}/a", authorization="Bearer x")[0] == 403


@pytest.mark.parametrize("path", ["/fail", "/malformed", "/large"])
def test_what_goes_wrong_in_the_function_is_not_revealed(base: str, path: str) -> None:
    status, _, answer = asked(f"{base}{path}")
    assert (status, answer) == (500, {"message": "Internal Server Error"})


def test_what_no_route_takes_and_what_is_too_large(base: str) -> None:
    assert asked(f"{base}/")[::2] == (404, {"message": "Not Found"})
    text = b"x" * (6 * 1024 * 1024)
    assert asked(f"{base}/a", "POST", text, content_type="text/plain")[::2] == (
        413,
        {"message": "Request Entity Too Large"},
    )


def test_pages_of_configured_sites_may_call_and_others_may_not(base: str) -> None:
    page = "http://localhost:5173"
    status, headers, _ = asked(f"{base}/a", "OPTIONS", origin=page, access_control_request_method="POST")
    assert status == 204
    assert headers["access-control-allow-origin"] == page
    assert headers["access-control-allow-methods"] == "POST"
    assert asked(f"{base}/a", origin=page)[1]["access-control-allow-origin"] == page
    assert "access-control-allow-origin" not in asked(f"{base}/a")[1]
    assert asked(f"{base}/a", origin="http://evil.example")[0] == 403


def test_the_service_can_be_looked_at_and_not_changed(runtime: LocalRuntime, base: str) -> None:
    client: Any = boto3.client("apigatewayv2", endpoint_url=runtime.url)
    assert [one["Name"] for one in client.get_apis()["Items"]] == ["one", "two"]
    with pytest.raises(client.exceptions.ClientError, match="change the program"):
        client.create_api(Name="three", ProtocolType="HTTP")


def test_requests_that_wait_keep_nothing_else_waiting(base: str) -> None:
    """Forty, more than functions run at once: what they wait for goes on meanwhile."""
    with ThreadPoolExecutor(41) as people:
        waiting = [people.submit(lambda: asked(f"{base}/wait")[0]) for _ in range(40)]
        assert asked(f"{base}/release")[0] == 200
        assert [one.result() for one in waiting] == [200] * 40


def test_more_than_are_answered_at_once_are_turned_away(runtime: LocalRuntime) -> None:
    gateway = Gateway(runtime.endpoint, runtime.host)
    for _ in range(MOST_AT_ONCE):
        gateway._places.acquire()
    request = WebRequest("GET", "/open", "", [("host", "localhost")])
    assert gateway.answer(request).status == 429
    gateway._places.release()
    assert gateway.answer(request).status == 200
    assert gateway.answer(request).status == 200


def test_events_over_the_socket(runtime: LocalRuntime, base: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(base).port or 80, timeout=10)
    connection.request("GET", "/events?since=0")
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.readline() == b": connected\n"
    answer.readline()
    entry = {"Source": "cqrs", "DetailType": "command-status", "Detail": '{"id": "1"}', "EventBusName": "sample-bus"}
    boto3.client("events").put_events(Entries=[entry])  # type: ignore[list-item]
    lines = [answer.readline() for _ in range(3)]
    assert lines[:2] == [b"id: 1\n", b"event: command-status\n"]
    assert json.loads(lines[2].removeprefix(b"data: "))["detail"] == {"id": "1"}
    connection.close()
