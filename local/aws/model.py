"""What passes through the local endpoint: a request, its answer, the record of a call, injected faults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

ACCOUNT_ID = "123456789012"


class EndpointError(Exception):
    """The local endpoint can't do what was asked; the text is one clear line."""


class PortInUse(EndpointError):
    """Another program listens on the port."""


class EndpointStopped(EndpointError):
    """A client of the local endpoint made a call after the endpoint was stopped; it must not reach real AWS."""


@dataclass(frozen=True)
class AwsRequest:
    """One API request, from boto3 in this process or from HTTP.

    ``service`` is boto3's client name (``stepfunctions``, not ``states``), ``operation`` the API's
    (``StartExecution``). ``body`` is what the client sent: bytes, text or a file-like object. ``params`` are the
    request's parameters where they are cheap to read (JSON and query protocols; function name; bucket and key).
    """

    service: str
    operation: str
    method: str
    url: str
    headers: Mapping[str, Any]
    body: Any
    region: str
    params: Mapping[str, Any]


@dataclass(frozen=True)
class AwsResponse:
    """An HTTP answer; headers are text to text."""

    status: int
    headers: Mapping[str, str]
    body: bytes


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
