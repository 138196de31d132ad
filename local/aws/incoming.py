"""Reads service, operation and parameters of requests, from boto3 in this process or from HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.core.request import Request
from moto.core.routing import NotFound, get_service_router

from local.aws.model import AwsRequest, AwsResponse, EndpointError
from local.aws.services import canonical_url, service_name

_QUERY = frozenset({"cloudwatch", "iam", "sns", "sts"})
_REST = frozenset({"apigatewayv2", "lambda", "s3", "scheduler"})
_FORM = "application/x-www-form-urlencoded"
_FUNCTION_PATH = re.compile(r"/functions/(?P<name>[^/]+)")
_VIRTUAL_HOST = re.compile(r"^(?P<bucket>.+)\.s3[.-][^/]*amazonaws\.com$")


def request_from_botocore(event_name: str, request: Any, default_region: str) -> AwsRequest:
    """A request that botocore is about to send; ``event_name`` is ``before-send.<service>.<Operation>``."""
    _, service_id, operation = event_name.split(".", 2)
    service = _service(service_id)
    body = request.body
    region = signature_scope(request.headers)[1] or default_region
    return AwsRequest(
        service=service,
        operation=operation,
        method=request.method,
        url=_moto_url(service, region, request.url),
        headers=request.headers,
        body=body,
        region=region,
        params=_params(service, request.url, body),
    )


def request_from_http(
    method: str, path: str, headers: Mapping[str, str], body: bytes, default_region: str
) -> AwsRequest:
    """A request from HTTP; ``path`` includes the query, ``headers`` have lower-case names.

    Raises:
        EndpointError: it isn't signed, so its service is unknown, or the service isn't supported.
    """
    name, region = signature_scope(headers, path)
    if name is None and is_presigned_v2(path):
        raise EndpointError(
            "presigned with signature version 2, which S3 refuses for buckets made after June 2020: "
            "make the client with Config(signature_version='s3v4')"
        )
    if name is None:
        raise EndpointError("unsigned request: the local endpoint needs signed ones (any credentials will do)")
    service = service_name(name)
    if service == "s3" and method == "PUT" and headers.get("content-type", "").startswith(_FORM):
        headers = {**headers, "content-type": "binary/octet-stream"}  # moto would parse the object as a form
    region = region or default_region
    url = canonical_url(service, region, path)
    return AwsRequest(
        service=service,
        operation=_http_operation(service, method, path, url, headers, body),
        method=method,
        url=url,
        headers=headers,
        body=body,
        region=region,
        params=_params(service, url, body),
    )


def signature_scope(headers: Mapping[str, Any], path: str = "") -> tuple[str | None, str | None]:
    """(service, region) of the credential scope in the Authorization header or in a presigned URL, whose ``path``
    includes the query (IAM User Guide, "Authentication methods": X-Amz-Credential). (None, None) without one.
    """
    value = headers.get("Authorization") or headers.get("authorization")
    text = value.decode() if isinstance(value, bytes) else str(value or "")
    _, found, rest = text.partition("Credential=")
    credential = rest.partition(",")[0]
    if not text and "X-Amz-Credential=" in path:
        found = credential = dict(parse_qsl(urlsplit(path).query)).get("X-Amz-Credential", "")
    scope = credential.split("/")
    return (scope[3], scope[2]) if found and len(scope) >= 5 else (None, None)


def is_presigned_v2(path: str) -> bool:
    """Whether S3's old scheme signed the URL (S3 User Guide, "Moving from Signature Version 2 to Version 4")."""
    return {"AWSAccessKeyId", "Signature", "Expires"} <= dict(parse_qsl(urlsplit(path).query)).keys()


def _moto_url(service: str, region: str, url: str) -> str:
    """The URL for moto, which only supports host names of the partition ``aws`` and reads the region from them, which
    IAM's host doesn't have.
    """
    parts = urlsplit(url)
    host = canonical_url(service, region, "") if service == "iam" else f"{parts.scheme}://{parts.netloc}"
    return url.replace(f"{parts.scheme}://{parts.netloc}", host.removesuffix(".cn"), 1)


@cache
def _service(service_id: str) -> str:
    return service_name(service_id)


def _http_operation(service: str, method: str, path: str, url: str, headers: Mapping[str, str], body: bytes) -> str:
    target = headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    if service in _REST:
        try:
            operation, _ = get_service_router(service).match(Request.from_primitives(method, url, headers, body))
        except NotFound:
            raise EndpointError(f"{service} has no operation for {method} {path.partition('?')[0]}") from None
        return str(operation.name)
    action = dict(parse_qsl(body.decode())).get("Action") or dict(parse_qsl(urlsplit(path).query)).get("Action")
    if not action:
        raise EndpointError(f"{service} request without an action: {method} {path.partition('?')[0]}")
    return action


def _params(service: str, url: str, body: Any) -> Mapping[str, Any]:
    if service == "s3":
        return _s3_params(url)
    if service == "lambda":
        found = _FUNCTION_PATH.search(url.partition("?")[0])
        return {"FunctionName": unquote(found["name"])} if found else {}
    if not body or service in _REST:
        return {}
    if service in _QUERY and body[:1] not in ("{", b"{"):  # newer clients of CloudWatch send JSON
        return dict(parse_qsl(body.decode() if isinstance(body, bytes) else body))
    try:
        params = json.loads(body)
    except ValueError:
        return {}  # moto returns the service's own error
    return params if isinstance(params, dict) else {}


def _s3_params(url: str) -> Mapping[str, Any]:
    parts = urlsplit(url)
    host = _VIRTUAL_HOST.match(parts.netloc)
    path = unquote(parts.path.lstrip("/"))
    bucket, _, key = (host["bucket"], "", path) if host else path.partition("/")
    version = dict(parse_qsl(parts.query)).get("versionId")
    return {name: value for name, value in (("Bucket", bucket), ("Key", key), ("VersionId", version)) if value}


def response_for_botocore(url: str, response: AwsResponse) -> AWSResponse:
    """A response as botocore gets it from urllib3."""
    return AWSResponse(url, response.status, HTTPHeaders.from_dict(response.headers), RawBody(response.body))


class RawBody(BytesIO):
    """A response's body as botocore reads it from urllib3."""

    def stream(self, amt: int = 65536, decode_content: bool | None = None) -> Any:
        """The body in parts."""
        while chunk := self.read(amt):
            yield chunk
