"""CON-02: the console's files: what a browser may do with them, and that nothing comes from elsewhere."""

from __future__ import annotations

import hashlib
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from handlers.api.app import Api
from handlers.api.console.pages import PAGE, STATIC, Console, PageSettings
from handlers.api.http.identity import Identities
from tests.support.api import ApiWorld, answer_of, event_of

CONSOLE = Console(PageSettings())
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
OWN = [path for path in FILES if path.parent == STATIC]
SCRIPTS = [path for path in OWN if path.suffix == ".js"]
VENDORED = json.loads((STATIC / "vendor" / "VENDORED.json").read_text())
#: Names of XML's and SVG's own, which nothing fetches.
WRONG = (
    r"innerHTML|outerHTML|insertAdjacent|dangerously|document\.write|\beval\b|new Function|setTimeout\(\s*['\"]"
    r"|\bstyle=|localStorage"
)
NAMES = ("http://www.w3.org/2000/svg",)


def name_of(path: Path) -> str:
    return path.relative_to(STATIC).as_posix()


def policy_of(headers: Any) -> dict[str, list[str]]:
    parts = (part.split() for part in headers["Content-Security-Policy"].split(";"))
    return {part[0]: part[1:] for part in parts if part}


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._within = tag

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style") and data.strip():
            self.scripts.append(data)


@pytest.mark.parametrize("path", ["/console", "/console/"])
def test_con_02_the_page_may_load_its_own_files_and_nothing_else(path: str) -> None:
    page = CONSOLE.answer(path)
    policy = policy_of(page.headers)
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert (
        policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == ["'none'"]
    )
    assert {name: policy[f"{name}-src"] for name in ("script", "style", "img", "connect")} == {
        name: ["'self'"] for name in ("script", "style", "img", "connect")
    }
    assert not re.search("unsafe|\\*|data:|blob:", page.headers["Content-Security-Policy"])


def test_con_02_files_may_be_sent_to_the_bucket_alone() -> None:
    page = Console(PageSettings(), uploads=lambda: "https://b.s3.eu-west-1.amazonaws.com").answer("/console")
    assert policy_of(page.headers)["connect-src"] == ["'self'", "https://b.s3.eu-west-1.amazonaws.com"]


def test_con_02_no_code_is_in_the_markup() -> None:
    tags = Tags(CONSOLE.answer("/console").body)
    assert tags.scripts == []
    for tag, attributes in tags.found:
        assert tag != "style"
        assert tag != "script" or attributes["src"]
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
    sources = [one["src"] or "" for tag, one in tags.found if tag == "script"]
    links = [one["href"] or "" for tag, one in tags.found if tag == "link"]
    for source in (*sources, *links):
        assert CONSOLE.answer(source).status == 200, source


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_con_02_each_file_is_served_as_what_it_is_and_kept(path: Path) -> None:
    if path.name == PAGE:
        return
    kinds = {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".json": "application/json",
        ".svg": "image/svg+xml",
        ".txt": "text/plain; charset=utf-8",
    }
    found = CONSOLE.answer(f"{CONSOLE.files}/{name_of(path)}")
    assert (found.status, found.body) == (200, path.read_text(encoding="utf-8"))
    assert found.headers["Content-Type"] == kinds[path.suffix]
    assert "immutable" in found.headers["Cache-Control"]
    assert policy_of(found.headers)["default-src"] == ["'none'"]


@pytest.mark.parametrize(
    "path",
    [
        "/console/x",
        "/console/main.js",
        "/console/../pages.py",
        f"{CONSOLE.files}/",
        f"{CONSOLE.files}/index.html",
        f"{CONSOLE.files}/../pages.py",
        f"{CONSOLE.files}/..%2Fpages.py",
        f"{CONSOLE.files}/../../../../../../etc/passwd",
        f"{CONSOLE.files}//etc/passwd",
        f"{CONSOLE.files}/vendor",
        f"{CONSOLE.files}/vendor/../main.js",
        "/console/0123456789abcdef/main.js",
    ],
)
def test_con_02_no_other_path_leads_anywhere(path: str) -> None:
    found = CONSOLE.answer(path)
    assert (found.status, found.headers["Cache-Control"]) == (404, "no-store")


def test_con_02_other_contents_have_another_path(tmp_path: Path) -> None:
    for text in ("one", "two"):
        (tmp_path / PAGE).write_text(text)
        (tmp_path / "a.js").write_text("same")
        paths = {Console(PageSettings(), root=tmp_path).files for _ in range(2)}
        assert len(paths) == 1
        assert paths.pop() != Console(PageSettings(), root=STATIC).files


def test_con_02_settings_are_given_as_text() -> None:
    given = PageSettings('/iam"><script>', "/events", ("local", "<b>"))
    [content] = [
        one["content"]
        for tag, one in Tags(Console(given).answer("/console").body).found
        if one.get("name") == "console-settings"
    ]
    assert json.loads(unescape(content or "")) == {
        "base": '/iam"><script>',
        "live": "/events",
        "users": ["local", "<b>"],
    }


@pytest.mark.parametrize("path", OWN, ids=name_of)
def test_con_02_nothing_comes_from_another_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for name in NAMES:
        text = text.replace(name, "")
    assert re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]+|url\(\s*['\"]?(?!#)", text) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_con_02_no_markup_is_made_of_data(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(WRONG, text) == []
    assert text.count("\n") <= 300
    for imported in re.findall(r'from "([^"]+)"', text):
        assert (STATIC / imported).is_file(), imported


@pytest.mark.parametrize("one", VENDORED, ids=lambda one: str(one["file"]))
def test_con_02_what_was_not_written_here_is_unchanged_and_licensed(one: dict[str, str]) -> None:
    folder = STATIC / "vendor"
    assert hashlib.sha256((folder / one["file"]).read_bytes()).hexdigest() == one["sha256"]
    assert (folder / one["licenceFile"]).stat().st_size > 500
    assert re.fullmatch(r"\d+\.\d+\.\d+", one["version"])


def test_con_02_all_that_was_not_written_here_is_listed() -> None:
    listed = {name for one in VENDORED for name in (one["file"], one["licenceFile"])}
    assert {path.name for path in (STATIC / "vendor").iterdir()} == {*listed, "VENDORED.json"}


# -- by the function -----------------------------------------------------------------------------------------------


def with_console(console: Console | None) -> Api:
    world = ApiWorld()
    return Api(world.parts, Identities("tenant", "roles", ()), console=console)


def test_con_02_the_function_answers_the_page_to_anybody() -> None:
    api = with_console(CONSOLE)
    page = answer_of(api(event_of("GET", "/console"), None))
    assert (page.status, page.text) == (200, CONSOLE.answer("/console").body)
    assert "Content-Security-Policy" in page.headers
    script = answer_of(api(event_of("GET", f"{CONSOLE.files}/main.js"), None))
    assert (script.status, script.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")


@pytest.mark.parametrize(
    ("method", "path", "console"),
    [
        ("POST", "/console", CONSOLE),
        ("GET", "/console", None),
        ("GET", "/consoles", CONSOLE),
        ("GET", "/iam/x", CONSOLE),
    ],
)
def test_con_02_and_nothing_else(method: str, path: str, console: Console | None) -> None:
    assert answer_of(with_console(console)(event_of(method, path), None)).status == 401
