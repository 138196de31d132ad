"""``./cqrs up`` as a person uses it: twice, stopped in between, with the operators' commands on the result."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.develop.pulumi_cli import PulumiCli
from local.testing.copies import alone, checkout
from tests.support.checkout import Cli

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def folder(pulumi_cli: PulumiCli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return checkout(tmp_path_factory.mktemp("up") / "repository", alone)


@pytest.fixture(scope="module")
def serving(folder: Path) -> Iterator[str]:
    """The address of the endpoint."""
    with Cli(folder, "serve", "--engine", "--port", "0") as served:
        yield served.wait_for_match(r"AWS_ENDPOINT_URL=(\S+)")[1]


def run(folder: Path, *arguments: str) -> Cli:
    with Cli(folder, *arguments) as done:
        code = done.end()
    assert code == 0, done.output + done.errors
    return done


def test_eng_09_cqrs_up_is_stopped_and_goes_on(folder: Path, serving: str) -> None:
    with Cli(folder, "up") as stopped:
        stopped.wait_for("aws:dynamodb:Table commands created")
        stopped.process.send_signal(signal.SIGINT)
        assert stopped.end() == 130
    up = run(folder, "up")
    assert "unchanged" in up.output
    assert "pending operations" not in up.output
    assert serving in up.errors
    preview = run(folder, "up", "--preview").output
    assert re.search(r"Resources:\n +\d+ unchanged\n$", preview), preview
    assert "encryptionsalt" not in (folder / "Pulumi.dev.yaml").read_text()
