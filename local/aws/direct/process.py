"""Which endpoint answers this process's calls, and what happens to requests without one.

Every boto3 client passes its finished HTTP request to a hook of botocore (event ``before-send``), unless its call was
direct (``calls``). While an endpoint runs, it answers; nothing leaves the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.handlers import BUILTIN_HANDLERS

from local.aws.direct.calls import LOOPBACK, answered, direct_calls
from local.aws.direct.presigned import presigned_here
from local.aws.environment import ACCESS_KEY
from local.aws.http import is_served
from local.aws.incoming import request_from_botocore, response_for_botocore
from local.aws.model import AwsRequest, AwsResponse, EndpointError, EndpointStopped


class Endpoint(Protocol):
    """The part of ``AwsEndpoint`` used here."""

    region: str

    def handle(self, request: AwsRequest) -> AwsResponse:
        """Answer one request."""


_current: Endpoint | None = None


@contextmanager
def calls_of_this_process(endpoint: Endpoint) -> Iterator[None]:
    """Inside, ``endpoint`` answers this process's calls. Later calls of its clients fail.

    Raises:
        RuntimeError: another endpoint is running.
    """
    global _current
    if _current is not None:
        raise RuntimeError("another AwsEndpoint is running in this process; stop it first")
    _current = endpoint
    try:
        with direct_calls(endpoint.handle), presigned_here():
            yield
    finally:
        _current = None


def _before_send(event_name: str, request: Any, **_: Any) -> AWSResponse | None:
    """botocore's hook. None lets the request go to the network."""
    authorization = request.headers.get("Authorization") or ""
    is_ours = ACCESS_KEY in (authorization.decode() if isinstance(authorization, bytes) else authorization)
    url = urlsplit(request.url)
    if url.hostname in LOOPBACK:
        if is_ours and not is_served(url.port):
            raise EndpointError(
                f"{event_name.removeprefix('before-send.')}: a client with the local runtime's credentials was made "
                f"for {url.scheme}://{url.netloc}, which is not the local endpoint"
            )
        return None
    endpoint = _current
    if endpoint is None:
        if is_ours:
            raise EndpointStopped(f"{event_name.removeprefix('before-send.')} after the local endpoint was stopped")
        return None
    response = answered() or endpoint.handle(request_from_botocore(event_name, request, endpoint.region))
    return response_for_botocore(request.url, response)


# Sessions copy this list when they are created, so the hook must be added before: at import, as moto does.
BUILTIN_HANDLERS.append(("before-send", _before_send))
