"""HTTP requests, signed or with a token; retried only if that can't have an effect twice."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, HTTPClientError
from botocore.httpsession import URLLib3Session

from cqrs_client.errors import ClientError, Unreachable, WrongAnswer, error_of

SERVICE = "execute-api"
THROTTLED = 429
#: Statuses after which a repeatable request is retried.
TRANSIENT = frozenset({THROTTLED, 500, 502, 503, 504})
#: Path segments that clients and servers resolve as relative.
_DOTS = (".", "..")


@dataclass(frozen=True)
class Answer:
    """Status, headers (names in lower case), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Sender(Protocol):
    """Sends one request. Tests replace it."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Answer:
        """Raises Unreachable: there was no response."""
        ...


class HttpSender:
    """botocore's connections: pooled, and with the same proxies and certificates as the AWS SDK."""

    def __init__(self, timeout: float) -> None:
        seconds: Any = timeout  # floats work, although the stubs say int
        self._session = URLLib3Session(timeout=seconds)

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: Any) -> Answer:
        """See ``Sender``. ``body``: bytes, or a file that is streamed."""
        request = AWSRequest(method, url, dict(headers), body)
        try:
            answer = self._session.send(request.prepare())
        except (HTTPClientError, BotoCoreError, OSError) as error:
            raise Unreachable(f"{method} {url.partition('?')[0]}: {error}") from error
        return Answer(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, answer.content)


class Authorisation(Protocol):
    """Adds the caller's credentials to a request."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """The headers to send."""
        ...


class Unsigned:
    """For a local runtime, which treats unsigned requests as its local operator's."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """The headers unchanged."""
        return headers


class Signed:
    """Signs with AWS Signature Version 4. ``credentials`` is called for each request, so that they can be refreshed."""

    def __init__(self, credentials: Callable[[], Any], region: str) -> None:
        self._credentials = credentials
        self._region = region

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """The headers with the signature. Raises ClientError: there are no credentials."""
        found = self._credentials()
        if found is None:
            raise ClientError("no AWS credentials were found; configure some, or give token= or endpoint=")
        request = AWSRequest(method, url, dict(headers), body)
        SigV4Auth(found.get_frozen_credentials(), SERVICE, self._region).add_auth(request)
        return dict(request.headers.items())


class Bearer:
    """Sends a token, or the result of a function that is called for each request."""

    def __init__(self, token: str | Callable[[], str]) -> None:
        self._token = token

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Mapping[str, str]:
        """The headers with the token."""
        token = self._token if isinstance(self._token, str) else self._token()
        return {**headers, "authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Retries:
    """``attempts`` in total; pauses grow from ``first`` to ``most`` seconds, each with full jitter."""

    attempts: int = 4
    first: float = 0.2
    most: float = 5.0

    def pause(self, number: int, asked: float | None) -> float:
        """Seconds before attempt ``number`` (2 is the first retry), at least as many as the API asked for."""
        return max(asked or 0.0, random.uniform(0, min(self.most, self.first * 2.0 ** (number - 2))))


@dataclass
class Transport:
    """Calls one API. ``tenant``: for callers who may act for several."""

    url: str
    authorise: Authorisation
    send: Sender
    retries: Retries = field(default_factory=Retries)
    tenant: str | None = None
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def call(
        self,
        method: str,
        *path: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Return the JSON of a response with a status below 400.

        Args:
            path: the segments of the path, not encoded.
            query: parameters; those that are None are omitted.
            body: sent as JSON; None sends none.
            idempotency_key: makes a request that changes something safe to repeat.

        Raises:
            ApiError: the API refused or failed.
            Unreachable: there was no response.
            WrongAnswer: the response is not JSON.
        """
        url = self.url + "".join(f"/{path_part(part)}" for part in path) + _query(query)
        content = b"" if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        headers = {"accept": "application/json"}
        if method != "GET":
            headers["content-type"] = "application/json"
        if idempotency_key is not None:
            headers["idempotency-key"] = idempotency_key
        if self.tenant is not None:
            headers["x-cqrs-tenant"] = self.tenant
        answer = self._tried(method, url, headers, content, method == "GET" or idempotency_key is not None)
        try:
            return json.loads(answer.body) if answer.body else None
        except ValueError:
            raise WrongAnswer(f"{method} {url.partition('?')[0]}: {answer.status}, but not JSON") from None

    def upload(self, method: str, url: str, body: Any, length: int) -> None:
        """Send a file to a presigned URL, which contains its signature. No retries: the file may be readable only once.

        Raises:
            ApiError, Unreachable: as for ``call``.
        """
        answer = self.send(method, url, {"content-length": str(length)}, body)
        if answer.status >= 300:
            raise error_of(answer.status, {"detail": answer.body[:500].decode(errors="replace")})

    def download(self, url: str) -> bytes:
        """The content at a presigned URL. Raises the same as ``call``."""
        return self._tried("GET", url, {}, b"", True, presigned=True).body

    def _tried(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, repeatable: bool, presigned: bool = False
    ) -> Answer:
        for number in range(1, self.retries.attempts + 1):
            asked: float | None = None
            try:
                sent = headers if presigned else self.authorise(method, url, headers, body)
                answer = self.send(method, url, sent, body or None)
            except Unreachable:
                if not repeatable or number == self.retries.attempts:
                    raise
            else:
                if answer.status < 400:
                    return answer
                error = error_of(answer.status, _problem(answer), _seconds(answer.headers.get("retry-after")))
                # Without a problem document, the gateway rejected the request before anything was done.
                unseen = answer.status == THROTTLED and not error.kind
                again = unseen or (repeatable and answer.status in TRANSIENT)
                if not again or number == self.retries.attempts:
                    raise error
                asked = error.retry_after
            self.sleep(self.retries.pause(number + 1, asked))
        raise AssertionError("the last attempt returns or raises")


def path_part(part: str) -> str:
    """Encode one segment of a path, twice if it has special characters: API Gateway decodes paths once before the API
    sees them, and a '/' or '?' would then act as a delimiter.
    """
    if not part:
        raise ValueError("a path segment is empty")
    once = part.replace(".", "%2E") if part in _DOTS else quote(part, safe="")
    return quote(once, safe="") if once != part else part


def _query(parameters: Mapping[str, Any] | None) -> str:
    given = {name: _text(value) for name, value in (parameters or {}).items() if value is not None}
    return f"?{urlencode(given, quote_via=quote)}" if given else ""


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _problem(answer: Answer) -> Mapping[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {"detail": answer.body[:500].decode(errors="replace")}
    return found if isinstance(found, dict) else {"detail": str(found)[:500]}


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None  # a date: our own pauses apply
