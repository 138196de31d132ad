"""A real browser: Chromium of the system, by Playwright. It forgives nothing: errors and foreign requests fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: No sandbox, since tests run as root in containers; the rest keeps the browser from looking for its maker's hosts.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
#: For what happens on the page, on a busy machine.
PATIENCE_MS = 60_000


class NoBrowser(Exception):
    """There is none; the text says what is missing."""


def find_browser() -> str:
    """Its path. Raises NoBrowser."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        raise NoBrowser("Playwright is not installed (requirements-dev.txt)") from None
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise NoBrowser(f"there is none of {', '.join(NAMES)} on the PATH (Debian: apt-get install chromium)")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Started, and closed in the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=find_browser(), args=list(ARGUMENTS))
        try:
            yield started
        finally:
            started.close()


class Watched:
    """A page, and what went wrong on it: errors in its console, exceptions, requests that left for another host."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.wrong: list[str] = []
        #: Paths to statuses that are expected: Chromium reports each answer of 4xx as an error.
        self.expected: list[str] = []
        self._host = urlsplit(url).netloc
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.wrong.append(f"exception: {error}"))
        page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            where = message.location.get("url", "")
            if not any(part in where and "Failed to load resource" in message.text for part in self.expected):
                self.wrong.append(f"{message.type}: {message.text} ({where})")

    def _asked(self, request: Any) -> None:
        if urlsplit(request.url).netloc != self._host:
            self.wrong.append(f"request to {request.url}")


def axe_source() -> str:
    """axe-core as the package of its Playwright binding brings it. Raises NoBrowser."""
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        raise NoBrowser("axe-playwright-python is not installed (requirements-dev.txt)")
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def serious_findings(page: Page, axe: str) -> list[str]:
    """What axe-core calls serious or critical on the page as it is, a line each."""
    page.evaluate(f"() => {{ {axe}\n; window.axe = window.axe || axe; }}")
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']} ({one['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
