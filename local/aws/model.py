"""What passes through the local endpoint: a request, its answer, the record of a call, injected faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

ACCOUNT_ID = "123456789012"


class EndpointError(Exception):
    """The local endpoint can't do what was asked; the text is one clear line."""


class PortInUse(EndpointError):
    """Another program listens on the port."""


class EndpointStopped(EndpointError):
    """A client of the local endpoint made a call after the endpoint was stopped; it must not reach real AWS."""


class AwsRequest:
    """One API request, from boto3 in this process or from HTTP. Not to be changed.

    ``service`` is boto3's client name (``stepfunctions``, not ``states``), ``operation`` the API's
    (``StartExecution``). ``params`` are the request's parameters where they are cheap to read (JSON and query
    protocols; function name; bucket and key). ``method``, ``url``, ``headers`` and ``body`` (bytes, text or a file-like
    object) are what the client sent; one that came without HTTP has no URL
    and no body.
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
    """An answer; headers are text to text. Not to be changed, ``value`` least of all: it may be what is stored.

    Its content is given as ``body`` or, in a JSON protocol, as the ``value`` that the body says; each makes the other.
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
        """As it is sent over HTTP."""
        if self._body is None:
            self._body = json.dumps(self._value).encode()
        return self._body

    @property
    def value(self) -> Any:
        """As JSON says it; no body is an empty object."""
        if self._value is None:
            self._value = json.loads(self._body) if self._body else {}
        return self._value


@dataclass(frozen=True)
class AwsCall:
    """One call as counters, listeners and faults see it.

    ``caller`` is the function whose code made it, None for others. ``access`` are the (IAM action, resource ARN)
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
        """``<service>.<Operation>``, as the scheduler's trace names it."""
        return f"{self.service}.{self.operation}"


class Faults(Protocol):
    """Decides what goes wrong. Both may raise, notably ``SimulatedCrash``, which passes botocore untouched."""

    def before(self, call: AwsCall) -> str | None:
        """Before the call takes effect. An error code ("ThrottlingException") is answered instead of the call;
        botocore retries it as it would AWS's.
        """
        ...

    def after(self, call: AwsCall) -> None:
        """After the call took effect and before the caller learns of it."""
        ...


#: Answers one operation in place of moto, outside of the endpoint's lock.
OperationHandler = Callable[[AwsRequest], AwsResponse]
