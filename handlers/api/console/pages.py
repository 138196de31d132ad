"""Serves the console's files. They are the same for everyone and reveal nothing about the stack, so they need no
authentication.

Files other than the page itself are below a path with a digest of all of them: browsers can cache them, and a
deployment never mixes two versions. Paths are looked up in a dictionary of these files, so traversal is impossible.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path, PurePosixPath
from typing import Any

from handlers.core.light_dataclasses import dataclass

#: Where the page is.
PATH = "/console"
STATIC = Path(__file__).parent / "static"
PAGE = "index.html"
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
FOREVER = "public, max-age=31536000, immutable"
#: Only the page's own files; no inline code, no framing, no native form submission.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src {connect}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_DIGEST_CHARS = 16


@dataclass(frozen=True)
class PageSettings:
    """Settings that the page needs before its first request.

    ``base``: prefix of the API's paths. ``live``: the path of server-sent events, None if there are none.
    ``users``: development identities to choose from, None if callers have tokens.
    """

    base: str = ""
    live: str | None = None
    users: Sequence[str] | None = None

    def text(self) -> str:
        """The settings as the JSON that the page reads."""
        return json.dumps({"base": self.base, "live": self.live, "users": self.users}, separators=(",", ":"))


@dataclass(frozen=True)
class ConsoleFile:
    """A response: 200 with a file, or 404."""

    status: int
    headers: Mapping[str, str]
    body: str


class Console:
    """Responds to GET requests for the console.

    ``uploads``: an additional origin to which the page may send files, as a browser sees it; called only when the page
    itself is served. ``root``: the folder with the files.
    """

    def __init__(
        self, settings: PageSettings, *, uploads: Callable[[], str | None] = lambda: None, root: Path = STATIC
    ) -> None:
        self._settings = settings
        self._uploads = uploads
        self._root = root

    @cached_property
    def files(self) -> str:
        """The path prefix of the files."""
        content = json.dumps(self._files, sort_keys=True).encode()
        return f"{PATH}/{hashlib.sha256(content).hexdigest()[:_DIGEST_CHARS]}"

    @cached_property
    def _files(self) -> dict[str, str]:
        """Read on the first request for any of them: most instances of the function never receive one."""
        return {
            path.relative_to(self._root).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(self._root.rglob("*"))
            if path.is_file() and path.suffix in TYPES
        }

    def answer(self, path: str) -> ConsoleFile:
        """The response for a path, which is ``PATH`` or below."""
        if path in (PATH, f"{PATH}/"):
            return self._page()
        name = path.removeprefix(f"{self.files}/")
        body = None if name in (path, PAGE) else self._files.get(name)
        if body is None:
            return ConsoleFile(
                404, {**HEADERS, "Content-Type": TYPES[".txt"], "Cache-Control": "no-store"}, "Not found\n"
            )
        kind = TYPES[PurePosixPath(name).suffix]
        # An image that is opened directly is a document, too, and needs a policy.
        policy = "default-src 'none'; frame-ancestors 'none'"
        return ConsoleFile(
            200,
            {**HEADERS, "Content-Type": kind, "Cache-Control": FOREVER, "Content-Security-Policy": policy},
            body,
        )

    def _page(self) -> ConsoleFile:
        settings = escape(self._settings.text(), quote=True)
        body = self._files[PAGE].replace("{{files}}", self.files).replace("{{settings}}", settings)
        connect = " ".join(filter(None, ("'self'", self._uploads())))
        headers: dict[str, Any] = {
            **HEADERS,
            "Content-Type": TYPES[".html"],
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY.format(connect=connect),
        }
        return ConsoleFile(200, headers, body)


def is_packed(root: Path = STATIC) -> bool:
    """Whether the function's archive contains the console's files (``consoleEnabled``)."""
    return (root / PAGE).is_file()


def is_of_console(path: str) -> bool:
    """Whether a path belongs to the console."""
    return path == PATH or path.startswith(f"{PATH}/")
