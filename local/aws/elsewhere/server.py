"""Calls of DynamoDB's API to a server on a loopback address."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from local.aws.model import AwsResponse, EndpointError

#: The variable that names the server.
VARIABLE = "CQRS_DYNAMODB_ENDPOINT"
TABLES, STREAMS = "DynamoDB_20120810", "DynamoDBStreams_20120810"
PATIENCE_S = 30.0
_HOSTS = ("127.0.0.1", "localhost", "::1")


class ServerRefused(EndpointError):
    """The server returned an error; ``code`` is its name without the prefix."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation} of the DynamoDB of {VARIABLE}: {code}: {message}")
        self.code = code


class DynamoServer:
    """A server of DynamoDB's API. It has one connection, so concurrent calls must be serialised.

    Raises:
        EndpointError: ``url`` isn't ``http://<loopback address>:<port>``; from calls: the server doesn't answer.
    """

    def __init__(self, url: str, region: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = None
        rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username)
        if parts.scheme != "http" or parts.hostname not in _HOSTS or not port or any(rest):
            raise EndpointError(
                f"{VARIABLE}: {url!r}: allowed is http://HOST:PORT with one of the hosts {', '.join(_HOSTS)}"
            )
        self.url = url
        self._connection = http.client.HTTPConnection(str(parts.hostname), port, timeout=PATIENCE_S)
        self._scope = f"{region}/dynamodb/aws4_request"

    def send(self, operation: str, body: bytes, api: str = TABLES) -> AwsResponse:
        """Send a request unchanged, and return the response unchanged. It isn't retried if the connection breaks, since
        a write may have taken effect."""
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"{api}.{operation}",
            # Not checked, but required by some servers, which keep tables by the region in it.
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": (
                f"AWS4-HMAC-SHA256 Credential=LOCAL/20260101/{self._scope}, SignedHeaders=host, Signature={'0' * 64}"
            ),
        }
        try:
            self._connection.request("POST", "/", body, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise EndpointError(f"{VARIABLE}: no answer from {self.url} to {operation}: {error}") from error
        return AwsResponse(answer.status, {"content-type": "application/x-amz-json-1.0"}, text)

    def call(self, operation: str, request: Mapping[str, Any], api: str = TABLES) -> dict[str, Any]:
        """The content of the response. Raises ServerRefused."""
        response = self.send(operation, json.dumps(request).encode(), api)
        try:
            answer = json.loads(response.body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise EndpointError(f"{VARIABLE}: {self.url} is no DynamoDB: {operation} gives HTTP {response.status}")
        if response.status != 200:
            code = str(answer.get("__type", response.status)).rpartition("#")[2]
            raise ServerRefused(operation, code, str(answer.get("message") or answer.get("Message") or ""))
        return answer

    def close(self) -> None:
        """Close the connection; a later call opens one."""
        self._connection.close()
