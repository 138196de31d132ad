"""Lets clients in this process call the endpoint without HTTP.

For services with a JSON protocol, ``BaseClient._make_api_call`` calls ``AwsEndpoint.handle``. botocore still handles
everything else: parameters that may be wrong; errors, with retries and exceptions, where it gets the error as the
response to its first request; clients with hooks, such as boto3's resources; clients for another address.
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

#: Frequently called services with a JSON protocol. Of ``QUERIES``, only frequent operations are supported.
SERVICES = frozenset({"dynamodb", "events", "logs", "sqs", "stepfunctions"})
#: Regular errors, which botocore doesn't retry.
FINAL_OF = {
    "dynamodb": frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"}),
    "stepfunctions": frozenset({"ExecutionAlreadyExists"}),
}
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Handle = Callable[[AwsRequest], AwsResponse]

#: The response to the request that botocore is about to send, which has already been made.
_answered: ContextVar[AwsResponse | None] = ContextVar("cqrs_answered", default=None)
_botocores: Callable[..., Any] = BaseClient._make_api_call  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class _Way:
    """One operation. ``tokens``: parameters that botocore fills in if they are absent."""

    service: str
    write: Convert
    read: Convert
    tokens: tuple[str, ...]


_ways: dict[tuple[str, str], _Way | None] = {}
#: For each client, its called operations and how they are answered; None: by botocore.
_clients: WeakKeyDictionary[BaseClient, dict[str, _Way | None]] = WeakKeyDictionary()


@contextmanager
def direct_calls(handle: Handle) -> Iterator[None]:
    """Inside, clients' calls go directly to ``handle``."""

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
    """The response to botocore's current request if there is one already; can be taken once."""
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
    # The region of the signature: IAM's clients are for a whole partition.
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
    """The exception that botocore raises for an error that it doesn't retry."""
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
        return None  # moto would have to be called in the query protocol
    try:
        write, read = writer(described.input_shape, binary=not is_short), reader(described.output_shape)
    except Undescribed:
        return None
    return _Way(service, write, read, tuple(described.idempotent_members))


def _is_hooked(client: BaseClient, operation: str) -> bool:
    """Whether hooks other than botocore's own inspect or change this client's requests."""
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
