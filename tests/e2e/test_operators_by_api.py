"""``--api``: an operator whose only right is a role of the HTTP API finds out why, and repairs it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest

from cli.__main__ import main
from cqrs_client import Client, connect
from local.testing.copies import alone, checkout
from tests.support.checkout import PATIENCE_SECONDS, Cli
from tests.unit.local.gateway.test_callers import token

ISSUER, AUDIENCE, SECRET = "https://issuer.example/pool", "shop", "a secret of the operators' tests"
TENANT, KEY = "t1", "TENANT#t1 ORDER#o1"
MODULES = "handlers.domain.orders, handlers.domain.airports"
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


@dataclass(frozen=True)
class Served:
    """A stack that takes tokens, and signed requests below ``/iam``. ``down``: while it is there, a target fails."""

    folder: Path
    url: str
    down: Path
    home: Path

    @property
    def client(self) -> Client:
        return connect(endpoint=f"{self.url}/iam", tenant=TENANT)

    def run(self, *arguments: str, role: str | None = "operator", tenant: str = TENANT) -> tuple[int, str, str]:
        """``./cqrs`` as somebody who has no credentials for AWS, and a token with this role if any."""
        done = self.process(*arguments, **self._token(role, tenant))
        return done.returncode, done.stdout, done.stderr

    def here(self, *arguments: str, role: str | None = "operator", tenant: str = TENANT) -> tuple[int, str, str]:
        """The same command in this process, where how it is started is not the point: most of its time is the start."""
        output, errors = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(errors):
            patch.delenv("CQRS_API_TOKEN", raising=False)
            for name, value in self._token(role, tenant).items():
                patch.setenv(name, value)
            code = main([*arguments])
        return code, output.getvalue(), errors.getvalue()

    def _token(self, role: str | None, tenant: str) -> dict[str, str]:
        if role is None:
            return {}
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "olga", "exp": time.time() + 3_600}
        return {"CQRS_API_TOKEN": token({**claims, "tenant": tenant, "roles": [role]}, SECRET)}

    def process(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """``./cqrs`` without credentials for AWS."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CQRS_"))}
        env |= {"HOME": str(self.home), "AWS_EC2_METADATA_DISABLED": "true"}
        return subprocess.run(
            ["./cqrs", *arguments],
            cwd=self.folder,
            env=env | environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    room = tmp_path_factory.mktemp("by-api")
    folder, down, home = checkout(room / "cqrs", alone), room / "down", room / "home"
    home.mkdir()
    (folder / "handlers" / "domain" / "moody.py").write_text(MOODY.format(flag=str(down)), encoding="utf-8")
    config = folder / "Pulumi.dev.yaml"
    text = config.read_text(encoding="utf-8")
    assert MODULES in text
    more = f"  cqrs:apiIssuer: {ISSUER}\n  cqrs:apiAudience: [{AUDIENCE}]\n"
    config.write_text(text.replace(MODULES, f"{MODULES}, handlers.domain.moody") + more, encoding="utf-8")
    with Cli(folder, "serve", "--port", "0", env={"CQRS_TOKEN_SECRET": SECRET}) as cli:
        url = cli.wait_for_match(r"serving on (http://127\.0\.0\.1:\d+) ")[1]
        cli.wait_for("HTTP API")
        yield Served(folder, url, down, home)


def test_from_explain_to_redrive_without_a_right_on_tables(served: Served) -> None:
    served.down.touch()
    client = served.client
    published = client.commands.publish("ORDER", "o1", "First", {"lines": []})
    assert client.commands.wait(published).outcome == "FAILED"

    code, output, error = served.run("explain", KEY, "--region", "us-east-1")
    assert (code, output) == (1, "")
    assert re.fullmatch(r"cqrs: error: no AWS credentials .*\n", error), error

    code, output, error = served.run("explain", KEY, "--api", served.url)
    assert (code, error) == (0, "")
    assert "RuntimeError: the search does not answer" in output
    assert f"@1: redrive {KEY}@1 when the cause is repaired" in output
    on_tables = served.here("explain", KEY, "--endpoint", served.url, "--region", "us-east-1", role=None)
    assert on_tables == (0, output, "")

    code, output, error = served.here("redrive", KEY, "--api", served.url, "--dry-run")
    assert (code, error) == (0, "")
    assert "WOULD_REDRIVE" in output
    assert client.entities.version("ORDER", "o1", 1).attempt == 1

    served.down.unlink()
    code, output, error = served.run("redrive", "--tenant", TENANT, "--since", "1h", "--api", served.url)
    assert (code, "REDRIVEN" in output) == (0, True), error
    redriven = client.commands.wait(published)
    assert redriven.outcome == "APPLIED"
    assert served.here("redrive", KEY, "--api", served.url) == (
        1,
        "",
        f"cqrs: error: {KEY}@1: it is finish:FINISHED: nothing changed\n",
    )


def test_a_file_is_imported_and_its_report_read_by_links(served: Served, tmp_path: Path) -> None:
    lines = (served.folder / "data" / "airports.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    file = tmp_path / "airports.csv"
    file.write_text("".join([*lines[:3], lines[3].replace(lines[3].split(",")[0], "", 1)]), encoding="utf-8")
    job = served.client.imports.upload_and_run(file, "airports")
    assert (job.status, job.counts.failed) == ("FAILED", 1)
    given = ("import", str(file), "--table", "airports", "--tenant", TENANT, "--wait", "--json")
    code, output, error = served.here(*given, "--api", served.url, role="writer")
    by_api, on_tables = json.loads(output), json.loads(served.run(*given, "--endpoint", served.url, role=None)[1])
    assert (code, by_api["status"], by_api["counts"]["failed"]) == (1, "FAILED", 1), error
    assert [by_api[name] for name in ("counts", "reasons")] == [on_tables[name] for name in ("counts", "reasons")]
    for form in ((), ("--csv",), ("--path",)):
        by_api = served.here("imports", "report", job.id, *form, "--api", served.url)
        assert by_api[0] == 0
        assert by_api == served.here(
            *("imports", "report", job.id, *form, "--endpoint", served.url, "--region", "us-east-1"), role=None
        )


def test_each_refusal_is_one_line(served: Served) -> None:
    served.down.unlink(missing_ok=True)
    published = served.client.commands.publish("ORDER", "done", "Done", {"lines": []})
    assert served.client.commands.wait(published).outcome == "APPLIED"

    def line(*arguments: str, url: str = served.url, role: str | None = "operator", tenant: str = TENANT) -> str:
        code, output, error = served.here(*arguments, "--api", url, role=role, tenant=tenant)
        assert (code, output, error.count("\n")) == (1, "", 1)
        return error.removeprefix("cqrs: error: ").removesuffix("\n")

    assert line("explain", KEY, role=None).startswith(f"{served.url}: 401, it needs a bearer token: put one into CQRS_")
    assert "403, the role 'operator' is needed for this" in line("explain", KEY, role="reader")
    assert "403, the tenant of the header X-Cqrs-Tenant is not one of" in line("explain", KEY, tenant="t2")
    assert line("explain", "TENANT#t1 ORDER#none").startswith("TENANT#t1 ORDER#none: unknown key, neither a command")
    file = str(served.folder / "data" / "airports.csv")
    planes = line("import", file, "--table", "planes", "--tenant", TENANT, role="writer")
    assert planes == "tableName: 'planes' is not allowed; expected one of airports"
    assert line("import", file, "--tenant", TENANT, role="writer") == "--table is needed for a single file: airports"
    assert "403, the role 'writer' is needed" in line(
        "import", file, "--table", "airports", "--tenant", TENANT, role="reader"
    )
    assert line("skip", "TENANT#t1 ORDER#done@1").startswith("TENANT#t1 ORDER#done@1: not skipped, it is finished")
    assert "this is not the API of a stack" in line("explain", KEY, url=f"{served.url}/elsewhere")
    assert "can't be reached; --api takes the stack output apiUrl" in line("explain", KEY, url="http://127.0.0.1:9")


def test_a_secret_that_is_too_short_is_refused_before_anything_is_deployed(served: Served) -> None:
    done = served.process("serve", "--port", "0", CQRS_TOKEN_SECRET="short")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "cqrs: error: CQRS_TOKEN_SECRET: 5 bytes are not allowed; expected at least 32\n"


def rows(served: Served) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables."""
    database = boto3.client(
        "dynamodb", endpoint_url=served.url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    return {name: database.scan(TableName=name)["Items"] for name in database.list_tables()["TableNames"]}


def test_api_05_who_is_not_let_in_writes_nothing(served: Served) -> None:
    """A token as ``./cqrs serve`` checks it, a signature or a laptop's user as ``apiTenants`` maps it."""
    now = time.time()
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "olga", "exp": now + 3_600, "tenant": TENANT, "roles": ["writer"]}
    wrong: dict[str, str | None] = {
        "missing": None,
        "malformed": "Bearer a.b",
        "no token": "Basic b2xnYTpvbGdh",
        "wrong issuer": token({**good, "iss": "https://issuer.example/other"}, SECRET),
        "wrong audience": token({**good, "aud": "other"}, SECRET),
        "algorithm none": token(good, SECRET, "none").rpartition(".")[0] + ".",
        "wrong key": token(good, SECRET + "x"),
        "expired": token({**good, "exp": now - 1}, SECRET),
        "for ever": token({name: value for name, value in good.items() if name != "exp"}, SECRET),
        "not yet valid": token({**good, "nbf": now + 3_600}, SECRET),
    }
    body = json.dumps({"type": "ORDER", "code": "refused", "name": "Refused", "attributes": {"lines": []}}).encode()

    def status(authorization: str | None, *, path: str = "/commands", **headers: str) -> tuple[int, str]:
        given = {"content-type": "application/json", **headers}
        if authorization is not None:
            given["authorization"] = authorization
        connection = HTTPConnection(urlsplit(served.url).netloc, timeout=PATIENCE_SECONDS)
        connection.request("POST", path, body, given)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    before = rows(served)
    assert {name: status(one)[0] for name, one in wrong.items()} == dict.fromkeys(wrong, 401)
    assert status(wrong["wrong key"])[1] == '{"message": "Unauthorized"}'
    unmapped = status(None, path="/iam/commands", **{"x-local-user": "stranger"})
    assert (unmapped[0], json.loads(unmapped[1])["type"]) == (403, "urn:cqrs:problem:forbidden")
    without_roles = status(f"Bearer {token({**good, 'roles': []}, SECRET)}")
    assert (without_roles[0], json.loads(without_roles[1])["type"]) == (403, "urn:cqrs:problem:forbidden")
    assert rows(served) == before
    assert status(f"Bearer {token(good, SECRET)}")[0] == 202
    assert rows(served) != before
