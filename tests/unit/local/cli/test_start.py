"""Whatever is refused ends a command with clear lines, before anything runs."""

from __future__ import annotations

import pytest

from cli.develop.errors import CommandError
from cli.develop.start import started
from tests.support.projects import shared_project


@pytest.mark.parametrize(
    ("stack", "config", "line"),
    [
        ("nowhere", {}, "unknown stack 'nowhere'; stacks: dev, prod"),
        ("../dev", {}, "stack '../dev' is not allowed; expected 1 to 100 letters, digits, '-', '_' and '.'"),
        (
            "dev",
            {"waitPollSeconds": "often"},
            'Pulumi.dev.yaml: cqrs:waitPollSeconds: "often" is not allowed; expected type integer',
        ),
        ("dev", {"cqr:logLevel": "DEBUG"}, "cqr:logLevel is not a known key; did you mean cqrs:logLevel?"),
        ("dev", {"a:b:c": "d"}, "'a:b:c' is not a key; expected <name> or <namespace>:<name>"),
        ("dev", {"aws:region": "eu-wst-1"}, "aws:region: eu-wst-1 is not a region; did you mean eu-west-1?"),
    ],
)
def test_edge_01_06_what_is_refused_is_one_line(stack: str, config: dict[str, str], line: str) -> None:
    with pytest.raises(CommandError) as caught, started(stack, config, project_dir=shared_project()):
        pytest.fail("it started")
    assert str(caught.value) == line
