"""The HTTP API: who may come by which route, how often, from which pages; what is logged; that it can be left out."""

from __future__ import annotations

import json

import pytest

from infra.capabilities.http_api import ACCESS_LOG, METHODS
from infra.packaging import CONSOLE
from tests.support.evaluation import PROJECT_DIR, TUNED, Evaluation, evaluated

API = "aws:apigatewayv2/api:Api"
CORS = "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration"
AUTHORIZER = "aws:apigatewayv2/authorizer:Authorizer"
INTEGRATION = "aws:apigatewayv2/integration:Integration"
PERMISSION = "aws:lambda/permission:Permission"
POLICY = "aws:iam/policy:Policy"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
ISSUER = {"apiIssuer": "https://issuer.example/pool", "apiAudience": '["shop"]'}


@pytest.fixture(scope="module")
def with_tokens() -> Evaluation:
    return evaluated("dev", {**ISSUER, "apiCorsOrigins": '["https://shop.example"]', "consoleEnabled": "true"})


def callers(evaluation: Evaluation) -> dict[str, str]:
    return {one["routeKey"]: one["authorizationType"] for one in evaluation.of_type(ROUTE).values()}


def test_requests_are_signed_where_nothing_else_is_configured(dev: Evaluation) -> None:
    assert callers(dev) == {
        "GET /health": "NONE",
        "GET /{proxy+}": "AWS_IAM",
        "PATCH /{proxy+}": "AWS_IAM",
        "POST /{proxy+}": "AWS_IAM",
    }
    assert dev.of_type(AUTHORIZER) == {}


def test_with_an_issuer_requests_have_tokens_and_signed_ones_come_below_iam(with_tokens: Evaluation) -> None:
    found = callers(with_tokens)
    assert {key for key, caller in found.items() if caller == "JWT"} == {f"{method} /{{proxy+}}" for method in METHODS}
    assert {key for key, caller in found.items() if caller == "AWS_IAM"} == {
        f"{method} /iam/{{proxy+}}" for method in METHODS
    }
    tokens = with_tokens.get(AUTHORIZER, "http-api-tokens")
    assert tokens["jwtConfiguration"] == {"issuer": "https://issuer.example/pool", "audiences": ["shop"]}
    for route in with_tokens.of_type(ROUTE).values():
        assert ("authorizerId" in route) == (route["authorizationType"] == "JWT")


def test_the_function_is_called_by_this_api_alone(dev: Evaluation) -> None:
    permission = dev.get(PERMISSION, "http-api-invokes")
    assert permission["principal"] == "apigateway.amazonaws.com"
    assert permission["sourceArn"] == "arn:aws:execute-api:us-east-1:123456789012:a1b2c3d4e5/*"
    integration = dev.get(INTEGRATION, "http-api-function")
    assert ":function:cqrs-dev-api/invocations" in integration["integrationUri"]
    assert integration["payloadFormatVersion"] == "2.0"
    function = dev.get("aws:lambda/function:Function", "api")
    assert function["timeout"] * 1000 < integration["timeoutMilliseconds"]


def test_requests_are_limited_by_configuration() -> None:
    evaluation = evaluated("dev", TUNED)
    settings = evaluation.get(STAGE, "http-api-stage")["defaultRouteSettings"]
    assert settings == {"throttlingRateLimit": 7, "throttlingBurstLimit": 9}


def test_the_access_log_has_caller_and_result_but_no_data(dev: Evaluation) -> None:
    log = dev.get(STAGE, "http-api-stage")["accessLogSettings"]
    assert log["destinationArn"].endswith(":log-group:/aws/vendedlogs/apis/cqrs-dev-api")
    assert json.loads(log["format"]) == ACCESS_LOG
    assert all(value.startswith("$context.") for value in ACCESS_LOG.values())
    assert not {"queryString", "body", "headers"} & set(ACCESS_LOG)
    assert len(log["format"].encode()) <= 3 * 1024  # quota: "Access log template size"


def test_pages_of_other_sites_may_call_where_they_are_named(dev: Evaluation, with_tokens: Evaluation) -> None:
    assert "corsConfiguration" not in dev.get(API, "http-api")
    cors = with_tokens.get(API, "http-api")["corsConfiguration"]
    assert cors["allowOrigins"] == ["https://shop.example"]
    assert "allowCredentials" not in cors
    assert {"authorization", "content-type", "idempotency-key", "x-cqrs-tenant"} <= set(cors["allowHeaders"])
    assert "OPTIONS" not in {key.split(" ")[0] for key in callers(with_tokens)}


def test_the_consoles_files_are_for_anybody_and_only_where_it_is_enabled(
    dev: Evaluation, with_tokens: Evaluation
) -> None:
    open_to_all = {key for key, caller in callers(with_tokens).items() if caller == "NONE"}
    assert open_to_all == {"GET /health", "GET /console", "GET /console/{proxy+}"}
    assert dev.of_type(CORS) == {}


def test_the_consoles_page_may_put_files_into_the_bucket(with_tokens: Evaluation) -> None:
    cors = with_tokens.get(CORS, "console-uploads")
    assert cors["bucket"] == with_tokens.outputs["bucketName"]
    assert cors["corsRules"] == [
        {
            "allowedHeaders": ["content-type"],
            "allowedMethods": ["PUT"],
            "allowedOrigins": [with_tokens.outputs["apiUrl"]],
            "maxAgeSeconds": 600,
        }
    ]


def test_the_consoles_files_travel_only_where_it_is_enabled(dev: Evaluation, with_tokens: Evaluation) -> None:
    def packed(evaluation: Evaluation) -> set[str]:
        names = set(evaluation.get("aws:lambda/function:Function", "api")["code"].assets)
        return {name.removeprefix(f"{CONSOLE}/") for name in names if name.startswith(f"{CONSOLE}/")}

    files = {path.relative_to(PROJECT_DIR / CONSOLE).as_posix() for path in (PROJECT_DIR / CONSOLE).rglob("*.*")}
    assert packed(dev) == set()
    assert packed(with_tokens) == files
    assert {"index.html", "machines.json", "vendor/preact.js", "vendor/LICENSE-preact.txt"} <= files


def test_the_api_alone_is_shown_how_workflows_went() -> None:
    evaluation = evaluated("dev", TUNED)
    executions = "arn:aws:states:us-east-1:123456789012:execution:cqrs-dev-approval:*"
    allowed = {
        name: {
            action
            for statement in json.loads(props["policy"])["Statement"]
            if executions in statement["Resource"]
            for action in statement["Action"]
        }
        for name, props in evaluation.of_type("aws:iam/rolePolicy:RolePolicy").items()
    }
    history = "states:GetExecutionHistory"
    assert {name for name, actions in allowed.items() if history in actions} == {"api-policy"}


def test_addresses(dev: Evaluation, with_tokens: Evaluation) -> None:
    url = "https://a1b2c3d4e5.execute-api.us-east-1.amazonaws.com"
    assert (dev.outputs["apiUrl"], with_tokens.outputs["consoleUrl"]) == (url, f"{url}/console")
    assert "consoleUrl" not in dev.outputs


def test_without_the_api_nothing_of_it_is_there() -> None:
    evaluation = evaluated("dev", {"apiEnabled": "false"})
    assert [one.name for one in evaluation.registrations if one.custom and "api" in one.name.lower().split("-")] == []
    assert not {"apiUrl", "apiExecutionArn", "apiFunctionArn"} & set(evaluation.outputs)
    assert "publisherPolicyArn" in evaluation.outputs


def test_the_publishers_policy_names_what_publishing_calls(dev: Evaluation) -> None:
    statements = json.loads(dev.get(POLICY, "publisher-policy")["policy"])["Statement"]
    assert {one["Resource"].rpartition(":")[2]: one["Action"] for one in statements} == {
        "table/cqrs-dev-commands": ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"],
        "table/cqrs-dev-data": ["dynamodb:ConditionCheckItem", "dynamodb:GetItem"],
        "cqrs-dev-store-123456789012/attributes/*": ["s3:GetObject", "s3:PutObject"],
    }


def test_with_a_key_of_ones_own_the_publisher_may_use_it() -> None:
    evaluation = evaluated("dev", TUNED)
    *_, on_key = json.loads(evaluation.get(POLICY, "publisher-policy")["policy"])["Statement"]
    assert on_key["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert ":kms:" in on_key["Resource"]
