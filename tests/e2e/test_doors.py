"""What ``./cqrs serve`` lets in by HTTP: the client (CLI-01), curl, pages of its own; and what it doesn't."""

from __future__ import annotations

import csv
import http.client
import importlib.metadata
import json
import re
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.functions.model import current_function
from local.runtime import PROJECT_DIR
from local.testing.copies import alone, checkout
from tests.support.checkout import PATIENCE_SECONDS, Cli
from tests.support.deployments import Deployed
from tests.support.permissions import allowed_not_used, calls_not_allowed

PAGE = PROJECT_DIR / "docs" / "client.md"
URL = "http://127.0.0.1:4566"
ROWS = 100
_BLOCK = re.compile(r"^```python\n# needs (.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
USE = """
import sys
import cqrs_client
from cqrs_client import connect

url, file = sys.argv[1:]
assert "site-packages" in cqrs_client.__file__
client = connect(endpoint=url)
published = client.commands.publish("ORDER", "cli/01 ä", "First", {"lines": [{"quantity": 2, "price": 5}]})
assert client.commands.wait(published).outcome == "APPLIED"
assert client.entities.get("ORDER", "cli/01 ä").name == "First"
seen = []
job = client.imports.upload_and_run(file, "airports", progress=lambda one: seen.append(one.counts.processed))
assert (job.status, job.counts.total, job.counts.succeeded) == ("COMPLETED", 100, 100), job
assert seen[-1] == 100
assert len(list(client.imports.rows(job.id))) == 100
assert len(list(client.entities.list("AIRPORT", page=30))) == 100
print("done")
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Cli(checkout(tmp_path_factory.mktemp("client") / "cqrs", alone), "serve", "--port", "0") as cli:
        url = cli.wait_for_match(r"serving on (http://127\.0\.0\.1:\d+) ")[1]
        cli.wait_for("HTTP API")
        yield url


def required(name: str) -> set[str]:
    """A distribution and all that it requires, as it is installed here."""
    found, left = set(), [name]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            needs = importlib.metadata.requires(one) or ()
            left += [re.split(r"[^A-Za-z0-9_.-]", text)[0] for text in needs if "extra ==" not in text]
    return found


def environment(folder: Path) -> Path:
    """A virtual environment with the client, and with boto3 and what that requires as it is here; its Python.

    Nothing is downloaded: the client is built from its folder, the rest is linked.
    """
    venv.create(folder, with_pip=False)
    packages = next((folder / "lib").glob("python*")) / "site-packages"
    for name in required("boto3"):
        for file in importlib.metadata.files(name) or ():
            top = packages / file.parts[0]
            if ".." not in file.parts and not top.exists():
                top.symlink_to(str(importlib.metadata.distribution(name).locate_file(file.parts[0])))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    source = folder / "source"
    subprocess.run(["cp", "-r", str(PROJECT_DIR / "client"), str(source)], check=True)
    subprocess.run([*install, "--target", str(packages), str(source)], check=True, timeout=PATIENCE_SECONDS)
    return folder / "bin" / "python"


def test_cli_01_only_the_client_installed(tmp_path: Path, served: str) -> None:
    rows = tmp_path / "airports.csv"
    with (PROJECT_DIR / "data" / "airports.csv").open(encoding="utf-8", newline="") as whole, rows.open("w") as part:
        part.writelines(line for _, line in zip(range(ROWS + 1), whole, strict=False))
    with rows.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.reader(file))) == ROWS + 1
    python = environment(tmp_path / "venv")
    alone = subprocess.run([python, "-c", "import handlers"], capture_output=True, cwd=tmp_path, check=False)
    assert b"No module named 'handlers'" in alone.stderr
    done = subprocess.run(
        [python, "-c", USE, served, str(rows)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


def test_the_pages_snippets_run(served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that need a runtime on this machine; the file to import is the beginning of the real one."""
    blocks = [text for needs, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8")) if "./cqrs serve" in needs]
    assert len(blocks) == 4
    (tmp_path / "data").mkdir()
    lines = (PROJECT_DIR / "data" / "airports.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (tmp_path / "data" / "airports.csv").write_text("".join(lines[:21]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for text in blocks:
        exec(compile(text.replace(URL, served), str(PAGE), "exec", dont_inherit=True), names)
    assert names["job"].counts.succeeded == 20


def asked(url: str, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
    """Status and JSON, with these headers."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=PATIENCE_SECONDS)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, named)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text or b"null")


ORDER = json.dumps({"type": "ORDER", "code": "sse1", "name": "n", "attributes": {"lines": []}}).encode()
SIGNED = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize("path", ["/", "/health", "/commands", "/events?since=0", "/console", "/openapi.json"])
def test_other_sites_get_in_nowhere(served: str, path: str) -> None:
    """By a name that was led here, and by a page's request: to AWS's endpoint, the API, its pages and its events."""
    aws = {"authorization": SIGNED, "x_amz_target": "DynamoDB_20120810.ListTables"}
    for more in ({}, aws):
        for wrong in ({"host": "evil.example"}, {"origin": "http://evil.example"}, {"origin": "null"}):
            status, answer = asked(served, "POST", path, ORDER, content_type="application/json", **wrong, **more)
            assert status == 403
            assert "refused" in answer["message"]


def test_a_form_is_no_request(served: str) -> None:
    """What a page can send without asking: forms. Even from this machine they change nothing."""
    for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"):
        status, problem = asked(served, "POST", "/commands", ORDER, content_type=kind, origin=served)
        assert (status, problem["type"]) == (415, "urn:cqrs:problem:wrong-media-type")
    assert asked(served, "GET", "/entities/ORDER/sse1")[0] == 404


def test_health_needs_no_caller(served: str) -> None:
    assert asked(served, "GET", "/health")[0] == 200


def test_events_are_streamed_live(served: str) -> None:
    parts = urlsplit(served)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port or 80, timeout=PATIENCE_SECONDS)
    connection.request("GET", "/events", headers={"accept": "text/event-stream"})
    events = connection.getresponse()
    assert events.readline() == b": connected\n"
    assert asked(served, "POST", "/commands", ORDER, content_type="application/json")[0] == 202
    detail: dict[str, Any] = {}
    end = time.monotonic() + PATIENCE_SECONDS
    while "ORDER#sse1" not in detail.get("sk", ""):
        line = events.readline()
        assert time.monotonic() < end, "too slow"  # comments come all the time
        detail = json.loads(line[6:])["detail"] if line.startswith(b"data: ") else detail
    connection.close()
    assert (detail["action"], detail["tenantCode"], detail["pk"]) == ("command-status", "demo", "TENANT#demo")
    assert detail["content"]["status"] == "finish:FINISHED"


def test_publishing_past_the_api_calls_what_the_policy_allows(tmp_path: Path) -> None:
    """The page's snippet, in both directions."""
    (text,) = (text for needs, text in _BLOCK.findall(PAGE.read_text(encoding="utf-8")) if "outputs" in needs)
    with Deployed(tmp_path, recording=False) as deployed:
        runtime = deployed.runtime
        token = current_function.set("publisher")
        try:
            names = {"outputs": runtime.outputs, "region": runtime.endpoint.region}
            exec(compile(text, str(PAGE), "exec", dont_inherit=True), names)
        finally:
            current_function.reset(token)
        used = {"publisher": runtime.endpoint.calls_by_function()["publisher"]}
        (policy,) = runtime.deployment.of_type("aws:iam/policy:Policy")
        policies = {"publisher": [json.loads(policy.inputs["policy"])]}
        runtime.deployment.role_policies |= policies  # for what each deployment's end looks at
        assert calls_not_allowed(used, policies) == []
        assert allowed_not_used(used, policies) == []
