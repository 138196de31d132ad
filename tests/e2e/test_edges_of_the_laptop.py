"""The laptop's surroundings: a hostile AWS environment, and several runtimes at once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from cli.__main__ import main
from local.deploy.project import stack_names
from local.runtime import PROJECT_DIR
from local.testing.copies import alone, checkout
from tests.support.checkout import Cli
from tests.support.hostile import Listener, hostile_environment


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("laptop") / "cqrs", alone)


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Cli]:
    with Cli(folder, "serve", "--port", "0") as cli:
        cli.wait_for("get-execution-history")
        yield cli


def url_of(cli: Cli) -> str:
    return cli.wait_for_match(r"serving on (http://127\.0\.0\.1:\d+) ")[1]


def log_of(cli: Cli) -> str:
    return cli.wait_for_match(r"functions log to (\S+)")[1]


def test_edge_41_the_demo_in_a_hostile_environment(folder: Path, tmp_path: Path) -> None:
    """Every variable and file that botocore reads names a listener: it hears nothing, and the demo ends well."""
    with Listener() as listener:
        with Cli(folder, "demo", "--rows", "2", env=hostile_environment(listener.url, tmp_path)) as cli:
            assert cli.end() == 0, cli.errors
        assert "All commands were applied" in cli.output
        assert listener.seen == []


def test_edge_42_every_runtime_has_its_own_log(folder: Path, served: Cli) -> None:
    """A second one neither truncates the first one's log nor writes into it; a freed name is used again."""
    assert log_of(served) == ".local/functions.log"
    log = folder / log_of(served)
    kept = log.read_bytes() + b'{"message": "from the first"}\n'
    log.write_bytes(kept)
    with Cli(folder, "serve", "--port", "0") as second:
        second.wait_for("get-execution-history")
        assert log_of(second) == ".local/functions-2.log"
    assert log.read_bytes() == kept


def test_edge_42_a_port_in_use_is_found_before_anything_is_deployed(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port), "--stack", stack_names(PROJECT_DIR)[0]]) == 1
    told = capsys.readouterr()
    assert told.err == (
        f"cqrs: error: port {port} on 127.0.0.1 is in use by another program; choose another one (--port)\n"
    )
    assert told.out == ""


def test_edge_42_queues_are_where_the_endpoint_is(served: Cli) -> None:
    url = url_of(served)
    client = boto3.client(
        "sqs", endpoint_url=url, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    urls = client.list_queues()["QueueUrls"]
    assert urls
    assert all(one.startswith(f"{url}/123456789012/cqrs-dev-") for one in urls), urls
