"""Who calls: what the function is told of signatures and tokens, and which tokens are refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import boto3
import pytest

from local.aws.endpoint import AwsEndpoint
from local.aws.http.model import WebRequest
from local.gateway.callers import LOCAL_OPERATOR, Forbidden, Unauthorised, authorizer_of
from local.gateway.model import Route, Tokens

NOW, SECRET, OTHER = 1_000_000.0, "a secret of the tests of callers", "another one of the tests of callers"
IAM = Route("$default", "f", 30, "AWS_IAM")
TOKENS = Route("$default", "f", 30, "JWT", Tokens("https://issuer", ["api"]))
CLAIMS = {"iss": "https://issuer", "aud": "api", "sub": "u1", "exp": NOW + 60}


def caller(route: Route, authorization: str | None = None, secret: str | None = SECRET) -> Any:
    headers = [] if authorization is None else [("authorization", authorization)]
    request = WebRequest("GET", "/", "", headers)
    return authorizer_of(request, route, partition="aws", secret=secret, now=NOW)


def token(claims: Any, secret: str = SECRET, algorithm: str = "HS256") -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    signed = f"{part({'alg': algorithm, 'typ': 'JWT'})}.{part(claims)}"
    signature = hmac.digest(secret.encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def without(claim: str) -> dict[str, Any]:
    return {name: value for name, value in CLAIMS.items() if name != claim}


def test_without_an_authoriser_there_is_no_caller() -> None:
    assert caller(Route("GET /health", "f", 30, "NONE")) is None


def test_an_unsigned_request_is_the_local_operator() -> None:
    told = caller(IAM)["iam"]
    assert told["userArn"] == LOCAL_OPERATOR
    assert set(told) == {
        *("accessKey", "accountId", "callerId", "cognitoIdentity", "principalOrgId", "userArn", "userId"),
    }


@pytest.mark.parametrize("user", ["local", "reader", "somebody@example.com"])
def test_an_unsigned_request_may_name_its_user(user: str) -> None:
    request = WebRequest("GET", "/", "", [("x-local-user", user)])
    told = authorizer_of(request, IAM, partition="aws-cn", secret=None, now=NOW)
    assert told["iam"]["userArn"] == f"arn:aws-cn:iam::123456789012:user/{user}"


@pytest.mark.parametrize("user", ["a/b", "a:b", "*", "x" * 65, "a b"])
def test_what_is_no_name_of_a_user_is_refused(user: str) -> None:
    request = WebRequest("GET", "/", "", [("x-local-user", user)])
    with pytest.raises(Forbidden):
        authorizer_of(request, IAM, partition="aws", secret=None, now=NOW)


def test_a_token_or_a_signature_is_nobody_elses() -> None:
    signed = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/execute-api/aws4_request, Signature=0"
    headers = [("authorization", signed), ("x-local-user", "reader")]
    with AwsEndpoint():
        told = authorizer_of(WebRequest("GET", "/", "", headers), IAM, partition="aws", secret=None, now=NOW)
    assert told["iam"]["userArn"] == "arn:aws:iam::123456789012:root"


def test_a_signature_is_the_accounts_or_a_roles_session() -> None:
    signed = "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/execute-api/aws4_request, Signature=0"
    with AwsEndpoint():
        assert caller(IAM, signed.format("local"))["iam"]["userArn"] == "arn:aws:iam::123456789012:root"
        role = boto3.client("iam").create_role(RoleName="shop", AssumeRolePolicyDocument="{}")["Role"]
        session = boto3.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="web")
        told = caller(IAM, signed.format(session["Credentials"]["AccessKeyId"]))["iam"]
        assert told["userArn"] == "arn:aws:sts::123456789012:assumed-role/shop/web"
        assert told["userId"].endswith(":web")


def test_a_token_is_no_signature() -> None:
    with pytest.raises(Forbidden):
        caller(IAM, f"Bearer {token(CLAIMS)}")


def test_claims_come_as_text() -> None:
    told = caller(TOKENS, f"Bearer {token({**CLAIMS, 'roles': ['a', 'b'], 'admin': True, 'n': 1})}")
    claims = told["jwt"]["claims"]
    assert (claims["sub"], claims["roles"], claims["admin"], claims["n"]) == ("u1", "[a b]", "true", "1")
    assert told["jwt"]["scopes"] is None
    assert caller(TOKENS, token(CLAIMS)) is not None  # the prefix may be absent


def test_one_of_a_routes_scopes_is_needed() -> None:
    route = Route("$default", "f", 30, "JWT", TOKENS.tokens, ["read", "write"])
    assert caller(route, token({**CLAIMS, "scope": "read other"}))["jwt"]["scopes"] == ["read", "other"]
    with pytest.raises(Unauthorised, match="none of the scopes"):
        caller(route, token(CLAIMS))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (None, "no token"),
        ("Bearer", "not accepted"),
        ("Bearer x.y", "not accepted"),
        ("Bearer a.b.c", "not accepted"),
        ("Bearer \xe4.b.c", "not accepted"),
        (token(CLAIMS).rpartition(".")[0] + ".", "bad_signature"),
        (token(CLAIMS, algorithm="none"), "unsupported_algorithm"),
        (token(CLAIMS, algorithm="none").rpartition(".")[0] + ".", "unsupported_algorithm"),
        (token(CLAIMS, algorithm="HS512"), "unsupported_algorithm"),
        (token([]), "invalid_payload"),
        (token(CLAIMS, OTHER), "bad_signature"),
        (token({**CLAIMS, "iss": "https://other"}), "'iss'"),
        (token(without("iss")), "'iss'"),
        (token({**CLAIMS, "aud": ["x"]}), "'aud'"),
        (token({**CLAIMS, "aud": "x", "client_id": "api"}), "'aud'"),
        (token({**without("aud"), "client_id": "x"}), "'client_id'"),
        (token(without("aud")), "'aud'"),
        (token({**CLAIMS, "exp": NOW}), "expired"),
        (token({**CLAIMS, "exp": "soon"}), "'exp'"),
        (token(without("exp")), "'exp'"),
        (token({**CLAIMS, "nbf": NOW + 1}), "not yet valid"),
        (token({**CLAIMS, "iat": NOW + 1}), "in the future"),
    ],
)
def test_wrong_tokens(given: str | None, why: str) -> None:
    with pytest.raises(Unauthorised, match=why):
        caller(TOKENS, given)


def test_a_client_id_stands_for_an_audience() -> None:
    assert caller(TOKENS, token({**without("aud"), "client_id": "api"}))["jwt"]["claims"]["client_id"] == "api"


def test_without_a_secret_every_token_is_refused() -> None:
    with pytest.raises(Unauthorised, match="can't be verified on this machine"):
        caller(TOKENS, token(CLAIMS), secret=None)
