"""Lets clients in this process call the endpoint without HTTP between them.

A client's call goes from ``BaseClient._make_api_call`` to ``AwsEndpoint.handle`` and back, for services with a JSON
protocol. botocore does the rest as always: parameters in which something may be wrong; answers that are errors, with
retries and exceptions, for which the answer is handed to it as that of its first request; clients with hooks of their
own, such as boto3's resources; clients for another address.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from botocore.client import BaseClient
from botocore.hooks import BaseEventHooks
from botocore.parsers import ResponseParserFactory

from local.aws.direct.moto_methods import QUERIES, SHORT
from local.aws.direct.shapes import Convert, Undescribed, Unfit, reader, writer
from local.aws.model import AwsRequest, AwsResponse
from local.aws.services import service_name

#: With a JSON protocol, and called often. Of ``QUERIES`` there is what is called often.
SERVICES = frozenset({"dynamodb", "events", "logs", "sqs", "stepfunctions"})
#: Errors that are answers like others, and that botocore tries no call again for.
FINAL_OF = {
    "dynamodb": frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"}),
    "stepfunctions": frozenset({"ExecutionAlreadyExists"}),
}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Handle = Callable[[AwsRequest], AwsResponse]

#: The answer for the request that botocore is about to send: it was made before.
_answered: ContextVar[AwsResponse | None] = ContextVar("cqrs_answered", default=None)
_botocores: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class _Way:
    """One operation. ``tokens``: parameters that botocore fills where they are absent."""

    service: str
    write: Convert
    read: Convert
    tokens: tuple[str, ...]


_ways: dict[tuple[str, str], _Way | None] = {}
#: Clients by whether they may be answered here, for each of their operations that was called.
_clients: WeakKeyDictionary[BaseClient, dict[str, _Way | None]] = WeakKeyDictionary()


@contextmanager
def direct_calls(handle: Handle) -> Iterator[None]:
    """While inside, clients' calls go straight to ``handle``."""

    def make_api_call(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        ways = _clients.get(client)
        if ways is None:
            ways = _clients[client] = {}
        if operation not in ways:
            ways[operation] = _way_of(client, operation)
        way = ways[operation]
        if way is None:
            return _botocores(client, operation, parameters)
        return _call(handle, way, client, operation, parameters)

    BaseClient._make_api_call = make_api_call  # type: ignore[attr-defined]
    try:
        yield
    finally:
        BaseClient._make_api_call = _botocores  # type: ignore[attr-defined]


def answered() -> AwsResponse | None:
    """The answer for botocore's present request if it has one already; for one request."""
    answer = _answered.get()
    if answer is not None:
        _answered.set(None)
    return answer


def _call(handle: Handle, way: _Way, client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
    if any(name not in parameters for name in way.tokens):
        parameters = {**{name: str(uuid.uuid4()) for name in way.tokens}, **parameters}
    try:
        params = way.write(parameters)
    except Unfit:
        return _botocores(client, operation, parameters)
    # The one that the call would be signed for: IAM's clients are of a whole partition.
    region = client._request_signer.region_name  # type: ignore[attr-defined]
    response = handle(AwsRequest(way.service, operation, region, params))
    if response.status >= 300:
        if way.service in FINAL_OF and _code(response) in FINAL_OF[way.service]:
            raise _error(client, operation, response)
        _answered.set(response)
        try:
            return _botocores(client, operation, parameters)
        finally:
            _answered.set(None)
    result = way.read(response.value)
    result["ResponseMetadata"] = _metadata(response)
    return result


def _code(response: AwsResponse) -> str:
    return str(response.value.get("__type", "")).rpartition("#")[2]


def _error(client: Any, operation: str, response: AwsResponse) -> Exception:
    """What botocore raises for an answer that it tries no call again for."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    answer = {"headers": headers, "status_code": response.status, "body": response.body, "context": {}}
    parser = _parser()
    parsed = parser.parse(answer, None)
    shape = client.meta.service_model.shape_for_error_code(parsed["Error"]["Code"])
    if shape is not None:
        parsed.update(parser.parse(answer, shape))
    parsed["ResponseMetadata"]["RetryAttempts"] = 0
    error: Exception = client.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation)
    return error


@cache
def _parser() -> Any:
    return ResponseParserFactory().create_parser("json")


def _metadata(response: AwsResponse) -> dict[str, Any]:
    headers = {name.lower(): value for name, value in response.headers.items()}
    metadata: dict[str, Any] = {"HTTPStatusCode": response.status, "HTTPHeaders": headers, "RetryAttempts": 0}
    if "x-amzn-requestid" in headers:
        metadata["RequestId"] = headers["x-amzn-requestid"]
    return metadata


def _way_of(client: BaseClient, operation: str) -> _Way | None:
    model = client.meta.service_model
    if urlsplit(client.meta.endpoint_url).hostname in LOOPBACK or _is_hooked(client, operation):
        return None
    key = (model.service_name, operation)
    if key not in _ways:
        _ways[key] = _described(model, operation)
    return _ways[key]


def _described(model: Any, operation: str) -> _Way | None:
    service = service_name(model.service_name) if model.service_name in SERVICES | QUERIES else None
    described = model.operation_model(operation)
    if service is None or described.has_streaming_input or described.has_streaming_output:
        return None
    is_short = (service, operation) in SHORT
    if service in QUERIES and not is_short:
        return None  # moto would have to be asked in the protocol of queries
    try:
        write, read = writer(described.input_shape, binary=not is_short), reader(described.output_shape)
    except Undescribed:
        return None
    return _Way(service, write, read, tuple(described.idempotent_members))


def _is_hooked(client: BaseClient, operation: str) -> bool:
    """Whether somebody looks at this client's requests or changes them, botocore itself aside."""
    service = client.meta.service_model.service_id.hyphenize()
    for event in ("provide-client-params", "before-send", "after-call"):
        if any(not _is_botocores(hook) for hook in _hooks(client.meta.events, f"{event}.{service}.{operation}")):
            return True
    return False


def _hooks(events: BaseEventHooks, name: str) -> list[Any]:
    emitter: Any = events
    return list(emitter._emitter._handlers.prefix_search(name))


def _is_botocores(hook: Any) -> bool:
    module = getattr(hook, "__module__", "")
    return bool(module.startswith(("botocore.", "local.aws.", "moto.core.botocore_stubber")))
