"""The services of the local endpoint, and the dispatch of requests to moto's code."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from moto.core.base_backend import BackendDict
from moto.core.exceptions import HTTPException
from moto.core.request import Request
from moto.core.utils import get_service_model

from local.aws.direct import moto_methods
from local.aws.environment import ACCESS_KEY
from local.aws.model import ACCOUNT_ID, AwsRequest, AwsResponse, EndpointError
from local.aws.tables.images import forget_items
from local.partitions import SUFFIX, partition_of

#: boto3's client name to moto's package. Other services are refused by name.
MOTO_PACKAGES = {
    "apigatewayv2": "apigatewayv2",
    "cloudwatch": "cloudwatch",
    "dynamodb": "dynamodb",
    "events": "events",
    "iam": "iam",
    "kms": "kms",
    "lambda": "awslambda",
    "logs": "logs",
    "s3": "s3",
    "scheduler": "scheduler",
    "secretsmanager": "secretsmanager",
    "sns": "sns",
    "sqs": "sqs",
    "ssm": "ssm",
    "stepfunctions": "stepfunctions",
    "sts": "sts",
}
#: Names of services in botocore's events and in signatures, where they differ from boto3's client name.
ALIASES = {
    "apigateway": "apigatewayv2",
    "cloudwatch-logs": "logs",
    "eventbridge": "events",
    "monitoring": "cloudwatch",
    "secrets-manager": "secretsmanager",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
#: Service to its host name where they differ, for requests to another address.
HOSTS = {"apigatewayv2": "apigateway", "cloudwatch": "monitoring", "stepfunctions": "states"}
_JSON = frozenset({"dynamodb", "events", "kms", "logs", "secretsmanager", "sqs", "ssm", "stepfunctions"})
_XML = frozenset({"cloudwatch", "iam", "s3", "sns", "sts"})


def service_name(name: str) -> str:
    """boto3's client name of a service.

    Raises:
        EndpointError: the local endpoint doesn't have it.
    """
    service = ALIASES.get(name, name)
    if service not in MOTO_PACKAGES:
        raise EndpointError(
            f"service {name!r} is not part of the local endpoint (it has: {', '.join(sorted(MOTO_PACKAGES))})"
        )
    return service


def canonical_url(service: str, region: str, path: str) -> str:
    """AWS's URL for a path that was requested at another address."""
    return f"https://{HOSTS.get(service, service)}.{region}.{SUFFIX}{path}"


def call_moto(request: AwsRequest) -> AwsResponse:
    """Let moto answer ``request`` (with the endpoint's lock held)."""
    if not request.url:
        answer = _short(request)
        if answer is not None:
            return answer
        request = _written(request)
    clean_url = request.url.partition("?")[0]
    handler = next((found for pattern, found in _routes(request.service) if pattern.match(clean_url)), None)
    if handler is None:
        raise EndpointError(f"moto has no {request.service} at {clean_url}")
    moto_request = Request.from_primitives(request.method, request.url, request.headers, request.body)
    try:
        status, headers, body = handler(moto_request, moto_request.raw_url, moto_request.headers)
    except HTTPException as error:
        status, headers, body = int(error.code or 500), dict(error.get_headers()), error.get_body()
    except NotImplementedError as error:
        message = f"{request.service} {request.operation} is not supported by the local endpoint: {error}"
        return error_response(request.service, "NotImplemented", message, status=501)
    data = body if isinstance(body, bytes) else str(body).encode()
    return AwsResponse(int(status), {str(name): str(value) for name, value in dict(headers).items()}, data)


def _short(request: AwsRequest) -> AwsResponse | None:
    if (request.service, request.operation) not in moto_methods.SHORT:
        return None
    try:
        result = moto_methods.result(request)
    except moto_methods.Refused as error:
        return error_response(request.service, error.code, str(error), status=error.status)
    return None if result is None else AwsResponse(200, {"content-type": "application/x-amz-json-1.0"}, value=result)


def _written(request: AwsRequest) -> AwsRequest:
    """A request without HTTP, as botocore would write it (JSON protocol)."""
    prefix, version = _target(request.service)
    scope = f"{ACCESS_KEY}/20260101/{request.region}/{request.service}/aws4_request"
    headers = {
        "X-Amz-Target": f"{prefix}.{request.operation}",
        "Content-Type": f"application/x-amz-json-{version}",
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
    }
    return AwsRequest(
        request.service,
        request.operation,
        request.region,
        request.params,
        url=canonical_url(request.service, request.region, "/"),
        headers=headers,
        body=json.dumps(request.params).encode(),
    )


@cache
def _target(service: str) -> tuple[str, str]:
    metadata = get_service_model(service).metadata
    return metadata["targetPrefix"], metadata["jsonVersion"]


@cache
def _routes(service: str) -> list[tuple[re.Pattern[str], Any]]:
    urls = importlib.import_module(f"moto.{MOTO_PACKAGES[service]}.urls")
    return [
        (re.compile(path.format(base)), handler) for base in urls.url_bases for path, handler in urls.url_paths.items()
    ]


def load_services() -> None:
    """Import moto's code for all services now instead of during the first call of each."""
    for service in MOTO_PACKAGES:
        _routes(service)


def drop_backends() -> None:
    """Drop all state of all services."""
    BackendDict.reset()
    backend.cache_clear()
    forget_items()


def backends(service: str) -> Any:
    """moto's store of a service's backends (a ``BackendDict``)."""
    package = MOTO_PACKAGES[service]
    models = importlib.import_module(f"moto.{package}.models")
    return getattr(models, {"awslambda": "lambda_backends"}.get(package, f"{package}_backends"))


@cache
def backend(service: str, region: str) -> Any:
    """moto's backend of a service; IAM and S3 have one per partition."""
    return backends(service)[ACCOUNT_ID][partition_of(region) if service in ("iam", "s3") else region]


def error_response(
    service: str,
    code: str,
    message: str,
    *,
    status: int = 400,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
) -> AwsResponse:
    """An error in the protocol of a client of ``service``; ``headers`` are the request's, if known.

    Newer clients of CloudWatch use JSON instead of XML, which ``X-Amz-Target`` shows.
    """
    speaks_json = headers is not None and ("X-Amz-Target" in headers or "x-amz-target" in headers)
    if service in _XML and not speaks_json:
        inner = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        if service != "s3":
            inner = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>"
        else:
            inner = f"<Error>{inner}</Error>"
        return AwsResponse(status, {"content-type": "text/xml"}, inner.encode())
    body = json.dumps({"__type": code, "message": message, "Message": message, **(extra or {})})
    kind = "application/x-amz-json-1.0" if service in _JSON or speaks_json else "application/json"
    return AwsResponse(status, {"content-type": kind, "x-amzn-errortype": code}, body.encode())
