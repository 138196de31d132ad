"""Access of the commands to a stack's HTTP API, with its errors in one line each."""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError

from cli.errors import CommandError
from cqrs_client import Client, connect
from cqrs_client.errors import (
    ApiError,
    ClientError,
    Forbidden,
    NotFound,
    ServerError,
    Throttled,
    Unauthenticated,
    Unavailable,
    Unreachable,
    WrongAnswer,
)
from cqrs_client.transport import Retries, Sender
from handlers.core.errors import CqrsError
from handlers.core.values.text import visible

#: The environment variable with a bearer token; an option would be visible to all users in the list of processes.
TOKEN = "CQRS_API_TOKEN"
#: RFC 6750, "Authorization Request Header Field": the syntax of a token.
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
#: The beginning of pydantic's messages.
_SHOULD_BE = "Input should be "
_WHO_MAY = "permissions come from cqrs:apiTenants or the token's claims"
#: For refusals by the gateway, which didn't invoke the API's function.
_LET_IN = "signed requests need execute-api:Invoke on the output apiExecutionArn"
_NO_API = "this is not the API of a stack; --api takes the stack output apiUrl"


@dataclass(frozen=True)
class ApiArgs:
    """The API's URL and the caller. ``token``: None: requests are signed with boto3's credentials; those to an API on
    this machine are unsigned and come from the local operator.
    """

    url: str
    token: str | None = None
    region: str | None = None
    profile: str | None = None


class Api:
    """One API. Each request names its tenant, which is part of keys and ids."""

    def __init__(self, args: ApiArgs, send: Sender | None = None, retries: Retries | None = None) -> None:
        self.url = args.url.rstrip("/")
        self.has_token = args.token is not None
        is_local = _is_local(args.url)
        if args.token is not None and not _TOKEN.fullmatch(args.token):
            raise CommandError(f"{TOKEN} is empty or not a bearer token; unset it to sign with AWS credentials")
        self._args, self._send, self._retries = args, send, retries
        self._signs = not is_local and not self.has_token
        self._clients: dict[str, Client] = {}

    def of(self, tenant: str) -> Client:
        """The client for a tenant."""
        if not (tenant.isascii() and tenant.isprintable()):
            raise CommandError(f"tenant {visible(tenant)}: it can't be sent in a header; omit --api")
        if tenant not in self._clients:
            args = self._args
            if self._signs:
                session = boto3.Session(profile_name=args.profile, region_name=args.region)
                made = connect(self.url, session=session, tenant=tenant, send=self._send, retries=self._retries)
            else:
                made = connect(
                    endpoint=self.url, token=args.token, tenant=tenant, send=self._send, retries=self._retries
                )
            self._clients[tenant] = made
        return self._clients[tenant]


def on_api(options: argparse.Namespace, work: Callable[[Api], int], send: Sender | None = None) -> int:
    """Run a command on the API that its options name. Returns its exit code.

    Raises:
        CommandError: for every error that the user can act on, in one line.
    """
    if options.endpoint is not None:
        raise CommandError("give either --api, or --endpoint (the stack itself)")
    api = Api(ApiArgs(options.api, os.environ.get(TOKEN), options.region, options.profile), send)
    try:
        return work(api)
    except (ClientError, CqrsError, BotoCoreError) as error:
        raise CommandError(line_of(error, api)) from error


def line_of(error: Exception, api: Api) -> str:
    """An error in one line: what is wrong, what is allowed, and what to do."""
    return visible(" ".join(_line(error, api).split()))


def _line(error: Exception, api: Api) -> str:
    if isinstance(error, Unreachable):
        unknown = " (it may have taken effect: check before you repeat it)" if str(error).startswith("POST") else ""
        return (
            f"{api.url}: can't be reached{unknown}; --api takes the stack output apiUrl; for a local stack: "
            "is `./cqrs serve` running?"
        )
    if isinstance(error, WrongAnswer):
        return f"{api.url}: {_NO_API} ({error})"
    if not isinstance(error, ApiError):
        return f"{api.url}: {error}" if isinstance(error, ClientError) else str(error)
    if isinstance(error, Unauthenticated):
        return f"{api.url}: 401, {_who(api)}"
    if isinstance(error, Forbidden):
        return f"{api.url}: 403, {_detail_of(error)}; {_WHO_MAY if error.kind else _LET_IN}"
    if isinstance(error, NotFound):
        return _not_found(error, api)
    if isinstance(error, Throttled | Unavailable):
        return f"{api.url}: {error.status}, {_detail_of(error)}; this is temporary: run it again in a moment"
    if isinstance(error, ServerError):
        return f"{api.url}: {error.status}, internal error; see the log for request {error.request_id}"
    detail = _detail_of(error)
    return f"{detail}; explain and show print its current state" if error.status == 409 else detail


def _detail_of(error: ApiError) -> str:
    if not error.errors:
        return error.detail or f"status {error.status}"
    return "; ".join(
        f"{one.field}: {one.value} is not allowed; expected {one.allowed.removeprefix(_SHOULD_BE)}"
        for one in error.errors
    )


def _not_found(error: ApiError, api: Api) -> str:
    if error.kind == "not-found":
        return f"{_detail_of(error)}; check the key or id, and --api ({api.url})"
    return f"{api.url}: {_NO_API} (404)"


def _who(api: Api) -> str:
    if api.has_token:
        return f"the token in {TOKEN} is not valid, or has expired; get a new one"
    return f"it needs a bearer token: put one into {TOKEN}, or sign: --api {api.url}/iam"


def _is_local(url: str) -> bool:
    """Whether it is on this machine. Raises CommandError: it isn't an API's URL."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment or parts.username is not None:
        raise CommandError(
            f"--api {visible(url)!r} is not a URL such as https://<id>.execute-api.<region>.amazonaws.com"
        )
    is_local = host == "localhost" or _is_loopback(host)
    if parts.scheme == "http" and not is_local:
        raise CommandError(
            f"--api {visible(url)!r}: only an API on this machine may be called without TLS; use https://"
        )
    return is_local


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False  # a host name
