"""HTTP APIs: authorisation, throttling and access logs."""

from __future__ import annotations

import json
from collections.abc import Iterator

from policy.model import Props, ResourceRule

ROUTE = "aws:apigatewayv2/route:Route"
STAGE = "aws:apigatewayv2/stage:Stage"
PERMISSION = "aws:lambda/permission:Permission"
#: The health check, which returns no data.
OPEN_ROUTES = ("GET /health",)
CALLERS = ("AWS_IAM", "JWT")
#: Variables with content of requests and responses, which an access log must not contain.
WITH_CONTENT = ("$request.body", "$request.header", "$request.querystring", "$response.body")


def _callers(props: Props) -> Iterator[str]:
    kind = props.get("authorizationType", "NONE")
    if kind not in CALLERS and props.get("routeKey") not in OPEN_ROUTES:
        yield f"{props.get('routeKey')} is open to everybody (authorizationType {kind})"


def _throttled(props: Props) -> Iterator[str]:
    limits = props.get("defaultRouteSettings") or {}
    for name in ("throttlingRateLimit", "throttlingBurstLimit"):
        if not limits.get(name):
            yield f"defaultRouteSettings has no {name}"


def _logged(props: Props) -> Iterator[str]:
    log = props.get("accessLogSettings") or {}
    if not log.get("destinationArn") or not log.get("format"):
        yield "accessLogSettings is not set"
        return
    for field, value in json.loads(log["format"]).items():
        if any(part in str(value) for part in WITH_CONTENT):
            yield f"the access log's {field} contains content of requests or responses ({value})"


def _one_api(props: Props) -> Iterator[str]:
    if props.get("principal") == "apigateway.amazonaws.com" and not props.get("sourceArn"):
        yield "lets every API of every account call the function: sourceArn is not set"


RULES = (
    ResourceRule("api-callers", "every caller is authenticated", (ROUTE,), _callers),
    ResourceRule("api-throttled", "no caller can use up all concurrency", (STAGE,), _throttled),
    ResourceRule("api-access-log", "callers are logged, content isn't", (STAGE,), _logged),
    ResourceRule("api-permission-source", "the function is called by its own API", (PERMISSION,), _one_api),
)
