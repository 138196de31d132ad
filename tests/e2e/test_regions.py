"""E6 and E7: the stack runs in the region that it is configured for, with the ARNs of that region's partition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.develop.serve import how_to_look
from handlers.commands.model import CommandInput
from handlers.core.aws import clients as aws
from tests.support.deployments import Deployed

REGIONS = {"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}


@pytest.fixture(autouse=True)
def _clients_of_one_region() -> Iterator[None]:
    """A function keeps its clients, and its region never changes; this process has several one after the other."""
    aws._client.cache_clear()
    yield
    aws._client.cache_clear()


def texts(value: Any) -> list[str]:
    return [text for child in value.values() for text in texts(child)] if isinstance(value, dict) else [str(value)]


@pytest.mark.parametrize("region", REGIONS)
def test_edge_06_07_a_command_runs_in_the_configured_region(tmp_path: Path, region: str) -> None:
    with Deployed(tmp_path, config={"aws:region": region}) as deployed:
        deployed.publish(CommandInput("ORDER", "o1", "First", {"n": 1}))
        deployed.run()
        assert deployed.row(1)["status"] == "finish:FINISHED"
        assert deployed.data()["version"] == 1
        outputs = deployed.runtime.outputs
        arns = [text for text in texts(outputs) if text.startswith("arn:")]
        assert len(arns) > 20
        for arn in arns:
            assert arn.split(":")[1] == REGIONS[region], arn
            # IAM is one for all regions (IAM User Guide, "IAM ARNs")
            assert arn.split(":")[3] == ("" if arn.split(":")[2] == "iam" else region), arn
        used = deployed.runtime.endpoint.calls_by_function()
        resources = {arn for actions in used.values() for of in actions.values() for arn in of if arn != "*"}
        assert {arn.split(":")[1] for arn in resources} == {REGIONS[region]}
        (execution,) = deployed.executions()
        assert execution.arn.startswith(f"arn:{REGIONS[region]}:states:{region}:")


def test_edge_06_serve_prints_the_configured_region(tmp_path: Path) -> None:
    with Deployed(tmp_path, config={"aws:region": "cn-north-1"}) as deployed:
        text = how_to_look(deployed.runtime, "http://127.0.0.1:1")
    assert "export AWS_ENDPOINT_URL=http://127.0.0.1:1 AWS_DEFAULT_REGION=cn-north-1\n" in text
    assert re.findall(r"arn:aws-cn:states:([a-z0-9-]+):", text) == ["cn-north-1"]
