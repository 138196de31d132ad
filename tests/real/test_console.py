"""CON-01: the console in a real browser, against ``./cqrs serve --demo-data`` with a handler that fails while told to.

``CONSOLE_SCREENSHOTS=docs/images ./cqrs test --real tests/real/test_console.py`` makes the pictures of docs/console.md.
"""

from __future__ import annotations

import json
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from handlers.api.console.pages import PATH, Console, PageSettings
from local.testing.copies import alone, checkout
from tests.support.browser import NoBrowser, Watched, axe_source, browser, find_browser, serious_findings
from tests.support.checkout import Cli
from tests.unit.local.gateway.test_callers import token as signed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.real

MOODY = '''"""A target that is down while a file is there."""

from pathlib import Path

from handlers import Command, sync_handler


@sync_handler("ORDER", id="search")
class Search:
    """See above."""

    def up(self, command: Command) -> None:
        """Raises RuntimeError while the file is there."""
        if Path({flag!r}).exists():
            raise RuntimeError("the search does not answer")
'''
MODULES = "handlers.domain.orders, handlers.domain.airports, handlers.domain.approval, handlers.domain.moody"
HEADER = "icao,iata,name,city,subd,country,elevation,lat,lon,tz,lid"
ROW = 'ZZ{:02},"","Field {}",Town,Land,US,10,1.5,2.5,America/Chicago,'
MANY = 10_000
ISSUER, AUDIENCE, SECRET = "https://issuer.example", "console", "a secret of the tests of the console"
NARROW, WIDE = 360, 1100
ROOMS = (
    "#/",
    "#/entities",
    "#/entities/AIRPORT",
    "#/entities/AIRPORT/00AA",
    "#/imports",
    "#/tasks",
    "#/approvals",
    "#/workflows",
)


@dataclass(frozen=True)
class Served:
    """``broken``: while this file is there, orders can't be applied."""

    url: str
    broken: Path

    def post(self, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body).encode(), {"content-type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def publish(self, code: str, version: int = 0) -> None:
        name = f"Order {code}, after version {version}"
        body = {"type": "ORDER", "code": code, "name": name, "attributes": {"lines": []}, "version": version}
        self.post("/commands", body)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    try:
        find_browser()
    except NoBrowser as error:
        pytest.skip(str(error))
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def served_with_tokens(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = checkout(tmp_path_factory.mktemp("tokens") / "cqrs", alone)
    with (folder / "Pulumi.dev.yaml").open("a") as stack:
        stack.write(f"  cqrs:apiIssuer: {ISSUER}\n  cqrs:apiAudience: [{AUDIENCE}]\n  cqrs:consoleEnabled: true\n")
    with Cli(folder, "serve", "--port", "0", "--demo-data", env={"CQRS_TOKEN_SECRET": SECRET}) as cli:
        url = cli.wait_for_match(r"console +(http://127\.0\.0\.1:\d+)/console")[1]
        yield Served(url, folder / "none")


@pytest.fixture(scope="module")
def served(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = checkout(tmp_path_factory.mktemp("console") / "cqrs", alone)
    broken = folder.parent / "broken"
    (folder / "handlers" / "domain" / "moody.py").write_text(MOODY.format(flag=str(broken)))
    stack = folder / "Pulumi.dev.yaml"
    text, changed = re.subn(r"cqrs:handlerModules: \[.*\]", f"cqrs:handlerModules: [{MODULES}]", stack.read_text())
    assert changed == 1
    stack.write_text(text)
    with Cli(folder, "serve", "--port", "0", "--demo-data") as cli:
        url = cli.wait_for_match(r"console +(http://127\.0\.0\.1:\d+)/console")[1]
        yield Served(url, broken)


@pytest.fixture
def watched(chromium: Browser, served: Served) -> Iterator[Watched]:
    """A page in a context of its own, on the overview; in the end nothing went wrong on it."""
    context = chromium.new_context(viewport={"width": WIDE, "height": 900}, timezone_id="Asia/Tokyo", locale="en-GB")
    seen = Watched(context.new_page(), served.url)
    seen.page.goto(f"{served.url}/console")
    seen.page.get_by_role("heading", name="Overview").wait_for()
    yield seen
    context.close()
    assert seen.wrong == []


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("CONSOLE_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"console-{name}.png"))


def go(page: Page, room: str) -> None:
    page.get_by_role("navigation").get_by_role("link", name=room).click()
    page.get_by_role("heading", level=1, name=room).wait_for()


def expect_version(page: Page, outcome: str) -> None:
    page.get_by_role("region", name=re.compile("Version ")).locator(".badge", has_text=outcome).first.wait_for()


def test_con_01_it_is_painted_within_a_second(watched: Watched) -> None:
    watched.page.reload()
    watched.page.locator(".tiles").wait_for()
    painted = watched.page.evaluate("() => performance.getEntriesByName('first-contentful-paint')[0].startTime")
    print(f"first paint after {painted:.0f} ms")
    assert painted < 1_000


def test_con_01_search_and_look(watched: Watched) -> None:
    page = watched.page
    go(page, "Entities")
    page.get_by_label("Type").fill("AIRPORT")
    page.get_by_label("Code begins with").fill("00A")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="00AA").click()
    expect_version(page, "APPLIED")
    told = page.get_by_role("img", name=re.compile("State machine"))
    told.wait_for()
    told.locator("g.good", has_text="sync_data_all").locator("text.time").wait_for()
    assert page.get_by_role("table", name="Targets").get_by_role("row").count() == 3
    stored = page.locator("time").first.get_attribute("datetime")
    shown = page.locator("time").first.inner_text()
    hour = (int(str(stored)[11:13]) + 9) % 24  # Tokyo is nine hours ahead
    assert f"{hour:02}:" in shown, (stored, shown)


def test_con_01_a_command_is_watched_until_it_is_applied(watched: Watched, served: Served) -> None:
    page = watched.page
    watched.expected.append("/entities/ORDER/watched")  # it is not there yet
    page.goto(f"{served.url}/console#/entities/ORDER/watched")
    page.get_by_role("alert").first.wait_for()
    served.publish("watched")
    expect_version(page, "APPLIED")
    served.publish("watched", version=1)
    page.get_by_role("heading", name="Version 2").wait_for()
    expect_version(page, "APPLIED")


def test_con_01_from_a_failure_to_its_redrive_in_three_clicks(watched: Watched, served: Served) -> None:
    page = watched.page
    served.broken.touch()
    try:
        served.publish("f1")
        link = page.get_by_role("table", name="Failed commands").get_by_role("link", name="ORDER f1")
        link.wait_for()
        picture(page, "overview")
        link.click()
        expect_version(page, "FAILED")
        page.get_by_text("the search does not answer").first.wait_for()
        page.locator(".machine g.bad", has_text="sync_data_all").wait_for()
        picture(page, "failed")
    finally:
        served.broken.unlink()
    page.get_by_role("button", name="Redrive…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("would redrive, attempt 2").wait_for()
    picture(page, "redrive")
    dialog.get_by_role("button", name="Redrive").click()
    expect_version(page, "APPLIED")
    page.locator(".timeline li.good").wait_for()
    page.locator(".machine g.good", has_text="success").wait_for()


def test_con_01_all_that_failed_is_redriven_at_once(watched: Watched, served: Served) -> None:
    page = watched.page
    served.broken.touch()
    try:
        for code in ("a1", "a2"):
            served.publish(code)
        for code in ("a1", "a2"):
            page.get_by_role("table", name="Failed commands").get_by_role("link", name=f"ORDER {code}").wait_for()
    finally:
        served.broken.unlink()
    page.get_by_role("button", name="Redrive these…").click()
    page.get_by_role("dialog").get_by_text("2 would redrive").wait_for()
    page.get_by_role("dialog").get_by_role("button", name="Redrive all").click()
    page.get_by_text("Nothing has failed.").wait_for()


def test_con_01_and_by_the_keyboard_alone(watched: Watched, served: Served) -> None:
    page = watched.page
    served.broken.touch()
    try:
        served.publish("k1")
        page.get_by_role("link", name="ORDER k1").wait_for()
        press_until(page, lambda name: name == "ORDER k1")
        page.keyboard.press("Enter")
        expect_version(page, "FAILED")
    finally:
        served.broken.unlink()
    # The heading has the focus now: a screen reader says where one is.
    assert focused(page) == "ORDER k1"
    press_until(page, lambda name: name == "Redrive…")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_text("would redrive").wait_for()
    press_until(page, lambda name: name == "Redrive")
    page.keyboard.press("Enter")
    expect_version(page, "APPLIED")


def focused(page: Page) -> str:
    return str(page.evaluate("() => (document.activeElement.textContent || document.activeElement.value || '').trim()"))


def press_until(page: Page, wanted: Callable[[str], bool], most: int = 60) -> None:
    for _ in range(most):
        page.keyboard.press("Tab")
        if wanted(focused(page)):
            return
    raise AssertionError(f"not reached by {most} tabs; the focus is on {focused(page)!r}")


def test_con_01_skip_after_a_look_at_what_it_would_do(watched: Watched, served: Served) -> None:
    page = watched.page
    served.broken.touch()
    try:
        served.publish("s1")
        page.get_by_role("link", name="ORDER s1").click()
        page.get_by_role("button", name="Skip…").click()
        page.get_by_role("dialog").get_by_text("The version is skipped").wait_for()
        page.keyboard.press("Escape")
        expect_version(page, "FAILED")
        page.get_by_role("button", name="Skip…").click()
        page.get_by_role("dialog").get_by_role("button", name="Skip").click()
        expect_version(page, "SKIPPED")
    finally:
        served.broken.unlink()


def test_con_01_a_file_is_imported(watched: Watched, tmp_path: Path) -> None:
    page = watched.page
    rows = [ROW.format(number, number) for number in range(30)]
    file = tmp_path / "fields.csv"
    file.write_text("\n".join([HEADER, *rows, "nonsense,,,,,,,,,,"]) + "\n")
    go(page, "Imports")
    page.get_by_label("File (or drop one here)").set_input_files(file)
    page.get_by_role("button", name="Import").click()
    page.get_by_role("heading", name="Import of fields.csv").wait_for()
    page.get_by_role("table", name="Failed rows").get_by_role("cell", name="InvalidValue").wait_for()
    tiles = page.locator(".tiles li")
    tiles.filter(has_text="30 applied").wait_for()
    tiles.filter(has_text="1 failed").wait_for()
    page.get_by_role("link", name="part 1").wait_for()
    picture(page, "import")
    with page.expect_download() as download:
        page.get_by_role("link", name="part 1").click()
    assert "nonsense" in download.value.path().read_text()
    page.get_by_role("button", name="Retry failed rows…").click()
    page.get_by_role("dialog").get_by_role("button", name="Retry").click()
    page.locator("dl.facts dd", has_text=re.compile("^2$")).first.wait_for()


def test_con_01_the_overview_shows_how_fast_rows_are_imported(watched: Watched, tmp_path: Path) -> None:
    tile = watched.page.locator(".tiles li", has_text="rows imported per second").locator(".number")
    expect_text(tile, "0.0")
    file = tmp_path / "many.csv"
    file.write_text("\n".join([HEADER, *(ROW.format(number, number) for number in range(100, 190))]) + "\n")
    other = watched.page.context.new_page()
    other.goto(f"{watched.page.url.partition('#')[0]}#/imports")
    other.get_by_label("File (or drop one here)").set_input_files(file)
    other.get_by_role("button", name="Import").click()
    other.get_by_role("heading", name="Import of many.csv").wait_for()
    expect_text(tile, re.compile(r"^[1-9]\d*\.\d$"))


def test_con_01_the_overview_shows_alarms_that_are_raised(watched: Watched) -> None:
    page = watched.page
    page.get_by_text("A laptop doesn't evaluate alarms.").wait_for()
    quiet = {"name": "cqrs-dev-api-5xx", "state": "OK", "reason": "", "since": None}
    since = "2026-01-01T00:00:00.000Z"
    raised = {"name": "cqrs-dev-api-Errors", "state": "ALARM", "reason": "Threshold <b>crossed</b>", "since": since}
    page.route("**/alarms", lambda route: route.fulfill(json={"items": [raised, quiet]}))
    page.reload()
    row = page.get_by_role("table", name="Raised alarms").get_by_role("row").last
    row.get_by_text("Threshold <b>crossed</b>").wait_for()
    assert "cqrs-dev-api-Errors" in row.inner_text()
    assert page.get_by_text("cqrs-dev-api-5xx").count() == 0


def expect_text(place: Locator, text: str | re.Pattern[str]) -> None:
    place.filter(has_text=text).wait_for()


def test_con_01_a_file_is_dropped(watched: Watched) -> None:
    page = watched.page
    go(page, "Imports")
    text = "\n".join([HEADER, ROW.format(77, 77)]) + "\n"
    page.get_by_label("Table").locator("option").first.wait_for(state="attached")
    transfer = page.evaluate_handle(
        "(text) => { const one = new DataTransfer(); one.items.add(new File([text], 'dropped.csv')); return one; }",
        text,
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
    page.get_by_text("dropped.csv").wait_for()
    page.get_by_role("button", name="Import").click()
    page.get_by_role("heading", name="Import of dropped.csv").wait_for()
    page.locator(".tiles li").filter(has_text="1 applied").wait_for()


def test_con_01_an_approval_is_answered(watched: Watched) -> None:
    page = watched.page
    for id_, decision in (("r1", "Approve"), ("r2", "Reject")):
        go(page, "Workflows")
        page.get_by_label("Id").fill(id_)
        page.get_by_label("Input (JSON)").fill(json.dumps({"subject": f"Chair {id_}", "requestedBy": "u1"}))
        page.get_by_role("button", name="Start").click()
        page.get_by_text("RUNNING").wait_for()
        go(page, "Approvals")
        page.get_by_role("button", name=f"{decision} Chair {id_}").click()
        dialog = page.get_by_role("dialog")
        if decision == "Reject":
            dialog.get_by_label("Reason").fill("too dear")
        dialog.get_by_role("button", name=decision).click()
        page.locator(".note", has_text=f"Chair {id_}: {decision.lower()}").wait_for()
        page.get_by_text("There are no open approvals.").wait_for()
    go(page, "Workflows")
    page.get_by_role("table", name="Executions of approval").get_by_role("link", name="r1").click()
    page.get_by_text("SUCCEEDED").wait_for()
    page.get_by_role("table", name="States").get_by_role("cell", name="ask").wait_for()


def test_con_01_a_task_is_shown(watched: Watched, served: Served) -> None:
    page = watched.page
    pairs = [{"from": "00AA", "to": "00AK"}] * 3
    served.post("/tasks", {"type": "airport-distances", "items": pairs})
    go(page, "Tasks")
    page.get_by_role("link", name="airport-distances").first.click()
    page.get_by_role("table", name="Items").get_by_role("row").nth(3).wait_for()


def test_con_01_what_a_role_may_not_do_is_reported(watched: Watched, served: Served) -> None:
    page = watched.page
    watched.expected += ["/alarms", "/failed", "/explain", "/run", "/redrive"]
    page.get_by_label("User").select_option("reader")
    for name in ("Failed now", "Alarms"):
        page.locator(f"h2:text('{name}') + p", has_text="This list needs the role operator.").wait_for()
    page.get_by_label("Tenant").fill("nobody")
    page.get_by_role("button", name="Use").click()
    go(page, "Entities")
    page.get_by_role("link", name="AIRPORT").click()  # the stack knows of the type; this tenant has nothing of it
    page.get_by_text("No applied entity found.").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_con_01_nothing_serious_is_found_by_axe(watched: Watched, served: Served, scheme: Any) -> None:
    try:
        axe = axe_source()
    except NoBrowser as error:
        pytest.skip(str(error))
    page = watched.page
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    found = {}
    for room in ROOMS:
        page.goto(f"{served.url}/console{room}")
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(500)
        found[room] = serious_findings(page, axe)
    assert found == {room: [] for room in ROOMS}


def test_con_01_it_fits_a_narrow_page(watched: Watched, served: Served) -> None:
    page = watched.page
    page.set_viewport_size({"width": NARROW, "height": 740})
    for room in ROOMS:
        page.goto(f"{served.url}/console{room}")
        page.get_by_role("heading", level=1).wait_for()
        page.wait_for_timeout(500)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= NARROW, room
    page.goto(f"{served.url}/console#/entities/AIRPORT/00AA")
    page.get_by_role("img", name=re.compile("State machine")).wait_for()


def test_con_01_what_is_stored_is_never_markup(watched: Watched, served: Served) -> None:
    page = watched.page
    text = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"
    body = {"type": "ORDER", "code": "<b>x", "name": text, "attributes": {"lines": [], "text": text}}
    served.post("/commands?wait=20", body)
    page.goto(f"{served.url}/console#/entities/ORDER")
    page.get_by_role("link", name="<b>x").click()
    expect_version(page, "APPLIED")
    page.get_by_text(text).first.wait_for()
    assert page.evaluate(
        "() => [document.title.includes('broken'), document.querySelectorAll('main img, main b').length]"
    ) == [
        False,
        0,
    ]


def test_con_01_ten_thousand_entities_are_paged(watched: Watched, served: Served) -> None:
    page = watched.page
    put_many(served.url)
    page.goto(f"{served.url}/console#/entities/MANY")
    rows = page.get_by_role("table", name="Entities of type MANY").get_by_role("row")
    rows.nth(50).wait_for()
    page.evaluate(
        "() => { window.longest = 0; new PerformanceObserver((list) => { for (const one of list.getEntries())"
        " window.longest = Math.max(window.longest, one.duration); }).observe({type: 'longtask', buffered: true}); }"
    )
    for pages in range(2, 12):
        page.get_by_role("button", name="More").click()
        rows.nth(50 * pages).wait_for()
    longest = page.evaluate("() => window.longest")
    print(f"longest task of the page: {longest:.0f} ms at 550 rows of {MANY}")
    assert longest < 1_000
    page.get_by_label("Code begins with").fill("m09999")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="m09999").wait_for()
    assert rows.count() == 2


def test_con_01_on_aws_a_token_is_asked_for_and_stays_in_the_tab(chromium: Browser, served_with_tokens: Served) -> None:
    """The page as the function serves it, on a laptop's API that takes tokens."""
    url = served_with_tokens.url
    context = chromium.new_context()
    seen = Watched(context.new_page(), url)
    page = seen.page
    on_aws = Console(PageSettings()).answer(PATH)
    page.route(f"**{PATH}", lambda route: route.fulfill(status=200, headers=dict(on_aws.headers), body=on_aws.body))
    page.goto(f"{url}{PATH}")
    page.get_by_role("heading", name="Who are you?").wait_for()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "u1",
        "exp": time.time() + 600,
        "tenant": "demo",
        "roles": ["operator"],
    }
    page.get_by_label("Bearer token").fill(signed(claims, SECRET))
    page.get_by_role("button", name="Use").click()
    page.get_by_text("Nothing has failed.").wait_for()
    assert page.get_by_label("Bearer token").input_value() == ""
    go(page, "Entities")
    page.get_by_role("link", name="AIRPORT").click()
    page.get_by_role("link", name="00AA").click()
    expect_version(page, "APPLIED")
    assert page.evaluate("() => [localStorage.length, document.cookie, sessionStorage.length]") == [0, "", 1]
    seen.expected.append(url)  # from here on all is 401
    page.get_by_role("button", name="Forget the token").click()
    page.get_by_role("heading", name="Who are you?").wait_for()
    assert page.evaluate("() => sessionStorage.length") == 0
    context.close()
    assert seen.wrong == []


def put_many(url: str) -> None:
    """Rows of the read model, as the pipeline writes them."""
    client: Any = boto3.client(
        "dynamodb", endpoint_url=url, region_name="us-east-1", aws_access_key_id="l", aws_secret_access_key="l"
    )
    row = client.query(
        TableName="cqrs-dev-data",
        KeyConditionExpression="pk = :pk and begins_with(sk, :sk)",
        ExpressionAttributeValues={":pk": {"S": "TENANT#demo"}, ":sk": {"S": "AIRPORT#00AA"}},
    )["Items"][0]
    for first in range(0, MANY, 25):
        puts = []
        for number in range(first, first + 25):
            code = f"m{number:05}"
            own = {"sk": {"S": f"MANY#{code}"}, "csk": {"S": f"MANY#{code}@0000000001"}, "code": {"S": code}}
            puts.append(
                {"PutRequest": {"Item": {**row, **own, "type": {"S": "MANY"}, "name": {"S": f"One of many {number}"}}}}
            )
        client.batch_write_item(RequestItems={"cqrs-dev-data": puts})
