"""Finds the parts that others wrote. What needs one that is absent or too old skips, with the reason.

At the end of ``./cqrs test --real`` a table tells what was found and what was skipped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import version

import pytest

from cli.develop.errors import CommandError
from cli.develop.pulumi_cli import PulumiCli, find_cli
from local.provider import EngineRuntime
from tests.real import judging
from tests.real.dynamodb.dynoxide import Dynoxide, NotFound, find_dynoxide, running
from tests.real.world import World


def parts() -> Mapping[str, str]:
    """Part to its version, or why it can't be used."""
    try:
        cli = find_cli().version
    except CommandError as error:
        cli = f"absent: {error}"
    try:
        tables = find_dynoxide().version
    except NotFound as error:
        tables = f"absent: {error}"
    return {
        "Pulumi CLI and Python language host": cli,
        "Pulumi SDK": version("pulumi"),
        **judging.versions(),
        "pulumi_aws (types; its provider is local/provider)": version("pulumi_aws"),
        "Dynoxide (DynamoDB's API)": tables,
    }


@pytest.fixture(scope="session")
def pulumi_cli() -> PulumiCli:
    try:
        return find_cli()
    except CommandError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def world(pulumi_cli: PulumiCli, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An empty AWS and an empty backend, for the scenarios of one file in their order."""
    with EngineRuntime() as engine:
        yield World(pulumi_cli, engine, tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="session")
def dynoxide() -> Dynoxide:
    try:
        return find_dynoxide()
    except NotFound as error:
        pytest.skip(str(error))


@pytest.fixture
def dynamodb_url(dynoxide: Dynoxide) -> Iterator[str]:
    """A server of DynamoDB's API that others wrote, with nothing in it.

    One for each test: a table of a name that was there before has the stream records of that one too.
    """
    with running(dynoxide) as url:
        yield url


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Part by part, then what was skipped and why."""
    if terminalreporter.config.option.markexpr != "real":
        return
    found = parts()
    width = max(map(len, found))
    terminalreporter.section("real parts")
    for part, said in found.items():
        terminalreporter.write_line(f"{part.ljust(width)}  {said}")
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.write_line(f"skipped: {report.nodeid.rpartition('::')[2]}: {reason}")
