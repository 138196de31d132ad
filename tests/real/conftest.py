"""Skips what needs the Pulumi CLI where it is absent or too old, with the reason."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.develop.errors import CommandError
from cli.develop.pulumi_cli import PulumiCli, find_cli
from local.provider import EngineRuntime
from tests.real.world import World


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
