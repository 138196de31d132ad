"""The endpoint over HTTP on a loopback address, for the AWS CLI and any SDK."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from local.aws.incoming import request_from_http, signature_scope
from local.aws.model import AwsResponse, EndpointError, PortInUse
from local.aws.services import ALIASES, error_response

if TYPE_CHECKING:
    from local.aws.endpoint import AwsEndpoint

log = logging.getLogger("cqrs.local.http")


#: Ports of this process that serve an endpoint.
_served: set[int] = set()


def is_served(port: int | None) -> bool:
    """Whether an endpoint of this process is served on the port."""
    return port in _served


class HttpServer:
    """Serves an endpoint; ``url`` is what clients set as their endpoint URL."""

    def __init__(self, endpoint: AwsEndpoint, host: str, port: int) -> None:
        """Bind at once, so that a wrong address or a taken port is known before anything else starts."""
        if not _is_loopback(host):
            raise EndpointError(f"host {host!r} is refused: the local endpoint listens on loopback addresses only")
        try:
            self._server = _Server((host, port), _handler_for(endpoint))
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
        """Serve on a daemon thread; what came before waited for this."""
        _served.add(self.port)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="cqrs-http", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port; requests that are being answered are left to their daemon threads."""
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


def _handler_for(endpoint: AwsEndpoint) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self._read_body(headers)
            response = _respond(endpoint, self.command, self.path, headers, body)
            self.send_response(response.status)
            sent = {name.lower() for name in response.headers}
            for name, value in response.headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            if self.command == "HEAD" and "content-length" in sent:
                length = next(value for name, value in response.headers.items() if name.lower() == "content-length")
            else:
                length = str(len(response.body))
            self.send_header("Content-Length", length)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(response.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = answer  # noqa: N815 - names of the base class

        def log_message(self, format: str, *args: Any) -> None:
            log.debug(format, *args)

        def _read_body(self, headers: dict[str, str]) -> bytes:
            if headers.get("transfer-encoding", "").lower() == "chunked":
                parts = []
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass
                return b"".join(parts)
            return self.rfile.read(int(headers.get("content-length") or 0))

    return Handler


def _respond(endpoint: AwsEndpoint, method: str, path: str, headers: dict[str, str], body: bytes) -> AwsResponse:
    service = signature_scope(headers)[0] or ""
    service = ALIASES.get(service, service)
    try:
        return endpoint.handle(request_from_http(method, path, headers, body, endpoint.region))
    except EndpointError as error:
        return error_response(service, "UnsupportedOperation", str(error), status=400)
    except Exception as error:  # boundary: one broken request must not end the connection without an answer
        log.exception("%s %s failed", method, path)
        return error_response(service, "InternalFailure", f"{type(error).__name__}: {error}", status=500)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
