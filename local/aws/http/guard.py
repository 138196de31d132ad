"""Refuses requests from pages of other sites, since there is no login on a developer's machine.

Two attacks are prevented. Another site's name may be made to resolve to this machine (DNS rebinding): the browser still
sends that name as Host. And any page may send forms and simple requests here, whose responses it can't read but which
take effect: browsers send the page's Origin with them (Fetch standard, "Origin header"; requests other than GET and
HEAD).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit

from local.aws.http.model import Headers


def is_loopback(host: str) -> bool:
    """Whether a name or address never leaves this machine (RFC 6761, 6.3: all names below localhost)."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refusal(headers: Headers, origins: Collection[str] = ()) -> str | None:
    """Why a request is refused; None if it isn't. ``origins``: other origins whose pages may call."""
    hosts = [value for name, value in headers if name == "host"]
    if len(hosts) != 1:
        return f"expected one Host header, got {len(hosts)}"
    host = _hostname(f"//{hosts[0]}")
    if host is None or not is_loopback(host):
        return f"Host {hosts[0]!r} is refused: this machine answers requests to loopback names only"
    for name, origin in headers:
        if name == "origin" and not _is_own(origin, hosts[0]) and origin not in origins:
            return f"Origin {origin!r} is refused: pages of other sites may not call this machine"
    return None


def _is_own(origin: str, host: str) -> bool:
    return origin == f"http://{host}"


def _hostname(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises if it isn't a number
        return None if parts.username is not None else parts.hostname
    except ValueError:
        return None
