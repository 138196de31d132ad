"""Connecting to the API: its address, and the caller's credentials."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import boto3

from cqrs_client.asynchronous import AsyncClient
from cqrs_client.commands import Commands
from cqrs_client.entities import Entities
from cqrs_client.errors import ClientError
from cqrs_client.imports import Imports
from cqrs_client.operations import Operations
from cqrs_client.tasks import Tasks
from cqrs_client.transport import Authorisation, Bearer, HttpSender, Retries, Sender, Signed, Transport, Unsigned
from cqrs_client.workflows import Approvals, Workflows

#: The stack output with the API's address.
API_URL = "apiUrl"
_REGION = re.compile(r"\.execute-api\.([a-z0-9-]+)\.")
TIMEOUT_SECONDS = 35.0


class Client:
    """A client of the API. It keeps connections open, and is safe to use from several threads."""

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.commands = Commands(transport)
        self.entities = Entities(transport)
        self.operations = Operations(transport)
        self.tasks = Tasks(transport)
        self.imports = Imports(transport)
        self.approvals = Approvals(transport)
        self.workflows = Workflows(transport)


def connect(
    url: str | None = None,
    *,
    stack_outputs: Mapping[str, Any] | None = None,
    endpoint: str | None = None,
    token: str | Callable[[], str] | None = None,
    tenant: str | None = None,
    region: str | None = None,
    session: boto3.Session | None = None,
    timeout: float = TIMEOUT_SECONDS,
    retries: Retries | None = None,
    send: Sender | None = None,
) -> Client:
    """Return a client of one stack's API. Give exactly one of ``url``, ``stack_outputs`` and ``endpoint``.

    Args:
        url: the API's address. If the stack accepts tokens, signed requests go to ``<apiUrl>/iam``.
        stack_outputs: the stack's outputs; ``apiUrl`` is used.
        endpoint: the address of a local runtime (``./cqrs serve``); requests are not signed.
        token: a bearer token, or a function that returns one; without it, requests are signed with IAM credentials.
        tenant: the tenant to act for, if the caller may act for several.
        region: the API's region, if its address doesn't contain it.
        session: the session whose credentials sign requests; default: boto3's.
        timeout: seconds to wait for a response; the API itself takes up to 30.
        retries: how often, and after which pauses, repeatable requests are retried.
        send: sends requests; replaced in tests.

    Raises:
        ClientError: the API's address or region is not known.
    """
    given = [one for one in (url, stack_outputs, endpoint) if one is not None]
    if len(given) != 1:
        raise ClientError("expected exactly one of url, stack_outputs and endpoint")
    if stack_outputs is not None and not stack_outputs.get(API_URL):
        raise ClientError(f"the stack has no output {API_URL}: its API is switched off (apiEnabled)")
    address = str(url or endpoint or (stack_outputs or {}).get(API_URL)).rstrip("/")
    authorise: Authorisation
    if token is not None:
        authorise = Bearer(token)
    elif endpoint is not None:
        authorise = Unsigned()
    else:
        authorise = _signed(address, region, session)
    sender = send if send is not None else HttpSender(timeout)
    return Client(Transport(address, authorise, sender, retries or Retries(), tenant))


def connect_async(*args: Any, **options: Any) -> AsyncClient:
    """Like ``connect``, with the same arguments, but methods are awaited and lists are async iterators."""
    return AsyncClient(connect(*args, **options))


def _signed(address: str, region: str | None, session: boto3.Session | None) -> Signed:
    used = session if session is not None else boto3.Session()
    found = _REGION.search(address)
    where = region or (found[1] if found else used.region_name)
    if not where:
        raise ClientError(f"the region of {address} is not known; give region=")
    return Signed(used.get_credentials, where)
