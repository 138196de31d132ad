"""Where the API is, and who calls it."""

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
    """The rooms of the API. It keeps connections, and may be used by several threads."""

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
    """A client of one stack's API. Exactly one of the first three says where it is.

    Args:
        url: the API's address. Where the stack takes tokens, requests that are signed go to ``<apiUrl>/iam``.
        stack_outputs: the stack's outputs, of which ``apiUrl`` is taken.
        endpoint: a runtime on this machine (``./cqrs serve``); requests are not signed.
        token: a bearer token, or what gives one; without it requests are signed by IAM.
        tenant: for whom, where the caller may act for several.
        region: of the API, if its address doesn't contain it.
        session: whose credentials sign; boto3's default one.
        timeout: seconds to wait for an answer; the API itself takes up to 30.
        retries: how often and how long requests are repeated that may be.
        send: sends requests; for tests.

    Raises:
        ClientError: it isn't said where the API is, or in which region.
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
    """As ``connect``, with the same arguments: rooms whose methods are awaited, and lists are async iterators."""
    return AsyncClient(connect(*args, **options))


def _signed(address: str, region: str | None, session: boto3.Session | None) -> Signed:
    used = session if session is not None else boto3.Session()
    found = _REGION.search(address)
    where = region or (found[1] if found else used.region_name)
    if not where:
        raise ClientError(f"the region of {address} is not known; give region=")
    return Signed(used.get_credentials, where)
