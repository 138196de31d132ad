"""HTTP APIs (API Gateway v2), which ``local.gateway`` serves. Properties that it would ignore are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.aws.address import served_at
from local.deploy.errors import UnsupportedResource
from local.deploy.workspace import Created, Creator, Request, Workspace

API = "aws:apigatewayv2/api:Api"
AUTHORIZER = "aws:apigatewayv2/authorizer:Authorizer"
INTEGRATION = "aws:apigatewayv2/integration:Integration"
ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"

DEFAULT_STAGE = "$default"
NO_AUTHORISATION, IAM, JWT = "NONE", "AWS_IAM", "JWT"
TOKEN_SOURCE = "$request.header.Authorization"
#: Pulumi's name of a CORS setting to the service's.
_CORS = {
    "allowCredentials": "AllowCredentials",
    "allowHeaders": "AllowHeaders",
    "allowMethods": "AllowMethods",
    "allowOrigins": "AllowOrigins",
    "exposeHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
}


def api(workspace: Workspace, request: Request) -> Created:
    """An HTTP API. The first one has the endpoint's URL, others have separate host names."""
    client = workspace.client("apigatewayv2")
    others = client.get_apis()["Items"]
    made = client.create_api(
        ProtocolType="HTTP",
        Tags=workspace.tags(request),
        **api_settings(workspace, request),
    )
    id_ = made["ApiId"]
    execution = workspace.arn("execute-api", id_)
    endpoint = _address(served_at(), id_, first=not others) or made["ApiEndpoint"]
    name = workspace.physical_name(request)
    return Created(
        id_, {"name": name, "apiEndpoint": endpoint, "executionArn": execution, "arn": f"{_arn(workspace)}/{id_}"}
    )


def api_settings(workspace: Workspace, request: Request) -> dict[str, Any]:
    """Arguments of the calls that create and update an API."""
    request.known("corsConfiguration", "description", "name", "protocolType")
    inputs = request.inputs
    _only(request, "protocolType", ("HTTP",))
    cors = inputs.get("corsConfiguration")
    return {
        "Name": workspace.physical_name(request),
        "Description": inputs.get("description", ""),
        **({"CorsConfiguration": _cors(request, cors)} if cors else {}),
    }


def _cors(request: Request, declared: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(declared) - set(_CORS))
    if unknown:
        raise UnsupportedResource(f"corsConfiguration of {request.label} has {', '.join(unknown)}, unknown here")
    return {_CORS[name]: value for name, value in declared.items()}


def authorizer(workspace: Workspace, request: Request) -> Created:
    """An authorizer for an issuer's tokens."""
    answer = workspace.client("apigatewayv2").create_authorizer(
        ApiId=request.inputs["apiId"], **authorizer_settings(workspace, request)
    )
    return Created(answer["AuthorizerId"], {"name": answer["Name"]})


def authorizer_settings(workspace: Workspace, request: Request) -> dict[str, Any]:
    """Arguments of the calls that create and update an authorizer."""
    request.known("apiId", "authorizerType", "identitySources", "jwtConfiguration", "name")
    _only(request, "authorizerType", (JWT,))
    sources = request.inputs.get("identitySources", [])
    if list(sources) != [TOKEN_SOURCE]:
        raise UnsupportedResource(
            f"identitySources {sources} of {request.label} are not supported; allowed: {TOKEN_SOURCE}"
        )
    tokens = request.inputs["jwtConfiguration"]
    return {
        "AuthorizerType": JWT,
        "IdentitySource": [TOKEN_SOURCE],
        "JwtConfiguration": {"Issuer": tokens["issuer"], "Audience": list(tokens["audiences"])},
        "Name": workspace.physical_name(request),
    }


def integration(workspace: Workspace, request: Request) -> Created:
    """The integration of routes with a function."""
    answer = workspace.client("apigatewayv2").create_integration(
        ApiId=request.inputs["apiId"], **integration_settings(request)
    )
    return Created(answer["IntegrationId"])


def integration_settings(request: Request) -> dict[str, Any]:
    """Arguments of the calls that create and update an integration."""
    request.known(
        "apiId",
        "description",
        "integrationMethod",
        "integrationType",
        "integrationUri",
        "payloadFormatVersion",
        "timeoutMilliseconds",
    )
    _only(request, "integrationType", ("AWS_PROXY",))
    _only(request, "payloadFormatVersion", ("2.0",))
    inputs = request.inputs
    return {
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": inputs["integrationUri"],
        "IntegrationMethod": inputs.get("integrationMethod", "POST"),
        "PayloadFormatVersion": "2.0",
        "Description": inputs.get("description", ""),
        # 30 s by default (API reference, CreateIntegration, timeoutInMillis).
        "TimeoutInMillis": inputs.get("timeoutMilliseconds", 30_000),
    }


def function_of(integration_uri: str) -> str:
    """The ARN of an integration's function, which may be part of an ``invokeArn``."""
    return integration_uri.partition(":path/2015-03-31/functions/")[2].removesuffix("/invocations") or integration_uri


def route(workspace: Workspace, request: Request) -> Created:
    """A route to an integration."""
    answer = workspace.client("apigatewayv2").create_route(ApiId=request.inputs["apiId"], **route_settings(request))
    return Created(answer["RouteId"])


def route_settings(request: Request) -> dict[str, Any]:
    """Arguments of the calls that create and update a route."""
    request.known("apiId", "authorizationScopes", "authorizationType", "authorizerId", "routeKey", "target")
    inputs = request.inputs
    kind = inputs.get("authorizationType", NO_AUTHORISATION)
    _only(request, "authorizationType", (NO_AUTHORISATION, IAM, JWT), NO_AUTHORISATION)
    if (kind == JWT) != ("authorizerId" in inputs):
        raise UnsupportedResource(
            f"{request.label}: routes of authorizationType JWT, and no others, have an authorizerId"
        )
    return {
        "RouteKey": inputs["routeKey"],
        "Target": inputs["target"],
        "AuthorizationType": kind,
        "AuthorizerId": inputs.get("authorizerId", ""),
        "AuthorizationScopes": list(inputs.get("authorizationScopes", [])),
    }


def stage(workspace: Workspace, request: Request) -> Created:
    """The API's only stage, at its root. Access log and throttling have no effect here."""
    request.known("accessLogSettings", "apiId", "autoDeploy", "defaultRouteSettings", "description", "name")
    inputs = request.inputs
    _only(request, "name", (DEFAULT_STAGE,))
    _only(request, "autoDeploy", (True,))
    client = workspace.client("apigatewayv2")
    client.create_stage(
        ApiId=inputs["apiId"],
        StageName=DEFAULT_STAGE,
        AutoDeploy=True,
        Description=inputs.get("description", ""),
        Tags=workspace.tags(request),
    )
    endpoint = client.get_api(ApiId=inputs["apiId"])["ApiEndpoint"]
    return Created(
        DEFAULT_STAGE,
        {
            "arn": f"{_arn(workspace)}/{inputs['apiId']}/stages/{DEFAULT_STAGE}",
            "executionArn": workspace.arn("execute-api", f"{inputs['apiId']}/{DEFAULT_STAGE}"),
            "invokeUrl": f"{endpoint}/",
        },
    )


def _only(request: Request, name: str, allowed: tuple[Any, ...], default: Any = None) -> None:
    value = request.inputs.get(name, default)
    if value not in allowed:
        raise UnsupportedResource(
            f"{name} {value!r} of {request.label} is not supported; allowed: {', '.join(map(str, allowed))}"
        )


def _arn(workspace: Workspace) -> str:
    return f"arn:{workspace.partition}:apigateway:{workspace.region}::/apis"


def _address(served: str | None, id_: str, *, first: bool) -> str | None:
    """An API's URL; further APIs have names below localhost, which resolve to this machine (RFC 6761, 6.3)."""
    if served is None or first:
        return served
    scheme, _, host = served.partition("://")
    port = host.rpartition(":")[2]
    return f"{scheme}://{id_}.execute-api.localhost:{port}"


CREATORS: dict[str, Creator] = {
    API: api,
    AUTHORIZER: authorizer,
    INTEGRATION: integration,
    ROUTE: route,
    STAGE: stage,
}
