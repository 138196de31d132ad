"""The local endpoint's requests, responses, records of calls, and injected faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

ACCOUNT_ID = "123456789012"


class EndpointError(Exception):
    """The local endpoint can't do what was requested; the text is one clear line."""


class PortInUse(EndpointError):
    """Another program listens on the port."""


class EndpointStopped(EndpointError):
    """A client of the local endpoint made a call after the endpoint was stopped; it must not reach real AWS."""


class AwsRequest:
    """One API request, from boto3 in this process or from HTTP. Must not be modified.

    ``service`` is boto3's client name (``stepfunctions``, not ``states``), ``operation`` the API's
    (``StartExecution``). ``params`` are the request's parameters where they are cheap to read (JSON and query
    protocols; function name; bucket and key). ``method``, ``url``, ``headers`` and ``body`` (bytes, text or a file-like
    object) are as the client sent them; a request without HTTP has no URL and no body.
    """

    __slots__ = ("body", "headers", "method", "operation", "params", "region", "service", "url")

    def __init__(
        self,
        service: str,
        operation: str,
        region: str,
        params: Mapping[str, Any],
        *,
        method: str = "POST",
        url: str = "",
        headers: Mapping[str, Any] = MappingProxyType({}),
        body: Any = None,
    ) -> None:
        self.service = service
        self.operation = operation
        self.region = region
        self.params = params
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body


class AwsResponse:
    """A response. Must not be modified, in particular ``value``, which may be the stored object.

    Its content is given as ``body`` or, in a JSON protocol, as the JSON's ``value``; each is derived from the other.
    """

    __slots__ = ("_body", "_value", "headers", "status")

    def __init__(
        self, status: int, headers: Mapping[str, str], body: bytes | None = None, *, value: Any = None
    ) -> None:
        self.status = status
        self.headers = headers
        self._body = body
        self._value = value

    @property
    def body(self) -> bytes:
        """The content as sent over HTTP."""
        if self._body is None:
            self._body = json.dumps(self._value).encode()
        return self._body

    @property
    def value(self) -> Any:
        """The content as a JSON value; an empty object without a body."""
        if self._value is None:
            self._value = json.loads(self._body) if self._body else {}
        return self._value


@dataclass(slots=True)
class AwsCall:
    """One call, for counters, listeners and faults. Must not be modified.

    ``caller`` is the function whose code made it, None for other callers. ``access`` are the (IAM action, resource ARN)
    pairs that the caller's role must allow; ``resource`` is the first of these resources.
    """

    service: str
    operation: str
    caller: str | None
    at: float
    resource: str
    access: tuple[tuple[str, str], ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def label(self) -> str:
        """``<service>.<Operation>``, as in the scheduler's trace."""
        return f"{self.service}.{self.operation}"


class Faults(Protocol):
    """Injects faults. Both methods may raise, notably ``SimulatedCrash``, which botocore doesn't catch."""

    def before(self, call: AwsCall) -> str | None:
        """Called before the call takes effect. A returned error code ("ThrottlingException") becomes the response;
        botocore retries it like AWS's.
        """
        ...

    def after(self, call: AwsCall) -> None:
        """Called after the call took effect, before its caller gets the response."""
        ...


#: Answers one operation in place of moto, outside the endpoint's lock.
OperationHandler = Callable[[AwsRequest], AwsResponse]
