"""Serves the endpoint over HTTP on a loopback address, for the AWS CLI and any SDK; and optionally a website."""

from __future__ import annotations

import errno
import json
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from local import journal
from local.aws.http.guard import is_loopback, refusal
from local.aws.http.model import Headers, WebAnswer, WebRequest, Website, WebsiteOf
from local.aws.incoming import is_presigned_v2, request_from_http, signature_scope
from local.aws.model import AwsResponse, EndpointError, PortInUse
from local.aws.operations import READS
from local.aws.services import ALIASES, error_response

if TYPE_CHECKING:
    from local.aws.endpoint import AwsEndpoint

log = logging.getLogger("cqrs.local.http")


#: Maximum size of a request to the website (API Gateway Developer Guide, "Quotas for HTTP APIs": payload size, 10 MB).
WEBSITE_LIMIT = 10 * 1024 * 1024
#: The service name in signatures of requests to HTTP APIs.
EXECUTE_API = "execute-api"
#: Response headers that the server itself writes.
_OWN_HEADERS = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})

#: Ports on which this process serves an endpoint.
_served: set[int] = set()


def is_served(port: int | None) -> bool:
    """Whether an endpoint of this process is served on the port."""
    return port in _served


class HttpServer:
    """Serves an endpoint; ``url`` is the endpoint URL for clients."""

    def __init__(self, endpoint: AwsEndpoint, host: str, port: int) -> None:
        """Bind at once, so that a wrong address or a taken port fails before anything else starts."""
        if not is_loopback(host):
            raise EndpointError(f"host {host!r} is refused: the local endpoint listens on loopback addresses only")
        #: Answers the requests that aren't for AWS; can be set until ``start``.
        self.website: Website | None = None
        try:
            self._server = _Server((host, port), _handler_for(endpoint, lambda: self.website))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(f"port {port} on {host} is in use by another program; choose another one") from error
            raise EndpointError(f"can't listen on {host}:{port}: {error.strerror}") from error
        self._thread: threading.Thread | None = None
        self.host = host
        self.port = int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """``http://host:port``."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Serve on a daemon thread; earlier requests have waited for this."""
        _served.add(self.port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="cqrs-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port; requests in progress are left to their daemon threads."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join(timeout=1.0)
            self._thread = None
            _served.discard(self.port)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Bind without the reverse DNS look-up of the base class, which can take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Only log: a client that disconnects early isn't our error."""
        log.debug("%s: connection lost", client_address, exc_info=True)


def _handler_for(endpoint: AwsEndpoint, website_of: WebsiteOf) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            headers = [(name.lower(), value) for name, value in self.headers.items()]
            website = website_of()
            refused = refusal(headers, website.origins() if website is not None else ())
            if refused is not None:
                self._send(_message(403, refused), close=True)
            elif website is None or _is_for_aws(headers, self.path):
                self._send(self._answer_of_aws(dict(headers)))
            else:
                body = self._read_body(headers, WEBSITE_LIMIT)
                if isinstance(body, WebAnswer):
                    self._send(body)
                else:
                    path, _, query = self.path.partition("?")
                    source = str(self.client_address[0])
                    self._send(_of_website(website, WebRequest(self.command, path, query, headers, body, source)))

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = answer  # noqa: N815 - base class

        def log_message(self, format: str, *args: Any) -> None:
            log.debug(format, *args)

        def _answer_of_aws(self, headers: dict[str, str]) -> WebAnswer:
            body = self._read_body(list(headers.items()), None)
            if isinstance(body, WebAnswer):
                return body
            response = _respond(endpoint, self.command, self.path, headers, body)
            return WebAnswer(response.status, list(response.headers.items()), response.body)

        def _send(self, answer: WebAnswer, *, close: bool = False) -> None:
            in_parts = not isinstance(answer.body, bytes)
            self.close_connection = close or in_parts or self.close_connection
            self.send_response(answer.status)
            for name, value in answer.headers:
                if name.lower() not in _OWN_HEADERS:
                    self.send_header(name, value)
            if self.close_connection:
                self.send_header("Connection", "close")
            if isinstance(answer.body, bytes):
                length = next((v for n, v in answer.headers if n.lower() == "content-length"), None)
                of_head = self.command == "HEAD" and length is not None
                self.send_header("Content-Length", str(length if of_head else len(answer.body)))
            self.end_headers()
            if self.command == "HEAD":
                return
            if isinstance(answer.body, bytes):
                self.wfile.write(answer.body)
                return
            try:
                for part in answer.body:
                    self.wfile.write(part)
                    self.wfile.flush()
            except (BrokenPipeError, ConnectionResetError):
                log.debug("%s: the client has gone", self.path)

        def _read_body(self, headers: Headers, limit: int | None) -> bytes | WebAnswer:
            """The body; or the response to a request whose body isn't read, after which the connection is closed."""
            body = self._read(dict(headers), limit)
            self.close_connection = self.close_connection or isinstance(body, WebAnswer)
            return body

        def _read(self, named: dict[str, str], limit: int | None) -> bytes | WebAnswer:
            try:
                if named.get("transfer-encoding", "").lower() == "chunked":
                    return self._read_chunks(limit)
                length = int(named.get("content-length") or 0)
            except ValueError:
                return _message(400, "the length of the body is not a number")
            if length < 0:
                return _message(400, "the length of the body is not a number")
            return _too_large() if limit is not None and length > limit else self.rfile.read(length)

        def _read_chunks(self, limit: int | None) -> bytes | WebAnswer:
            parts, total = [], 0
            while size := int(self.rfile.readline().split(b";")[0], 16):
                total += size
                if limit is not None and total > limit:
                    return _too_large()
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)

    return Handler


def _is_for_aws(headers: Headers, path: str) -> bool:
    """Whether it is signed for a service other than an HTTP API, or unsigned but in a protocol of AWS."""
    named = dict(headers)
    service, _ = signature_scope(named, path)
    return service != EXECUTE_API if service is not None else "x-amz-target" in named or is_presigned_v2(path)


def _of_website(website: Website, request: WebRequest) -> WebAnswer:
    try:
        answer = website.answer(request)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            _sync()
        return answer
    except Exception:  # boundary: one broken request must not end the connection without an answer
        log.exception("%s %s failed", request.method, request.path)
        return _message(500, "Internal Server Error")


def _sync() -> None:
    """Sync the journal, if there is one, so that answered requests survive a crash of the machine."""
    kept = journal.active()
    if kept is not None:
        kept.sync()


def _too_large() -> WebAnswer:
    return _message(413, "Request Entity Too Large")


def _message(status: int, text: str) -> WebAnswer:
    """A response in the form of API Gateway's own errors."""
    return WebAnswer(status, [("content-type", "application/json")], json.dumps({"message": text}).encode())


def _respond(endpoint: AwsEndpoint, method: str, path: str, headers: dict[str, str], body: bytes) -> AwsResponse:
    service = signature_scope(headers, path)[0] or ""
    service = ALIASES.get(service, service)
    try:
        request = request_from_http(method, path, headers, body, endpoint.region)
        response = endpoint.handle(request)
        if not request.operation.startswith(READS):
            _sync()
        return response
    except EndpointError as error:
        return error_response(service, "UnsupportedOperation", str(error), status=400)
    except Exception as error:  # boundary: one broken request must not end the connection without an answer
        log.exception("%s %s failed", method, path)
        return error_response(service, "InternalFailure", f"{type(error).__name__}: {error}", status=500)
