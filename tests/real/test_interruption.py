"""ENG-09: an update that is interrupted in the middle goes on with the next one."""

from __future__ import annotations

import os
import signal

import pytest

from cli.develop.pulumi_cli import refusal
from tests.real.world import Project, World

pytestmark = pytest.mark.real
#: The tables are there by then, the functions are not.
MIDDLE = "aws:dynamodb:Table commands created"


@pytest.fixture(scope="module")
def project(world: World) -> Project:
    project = world.program()
    project.init("dev")
    project.init("prod")
    return project


def stopped_in_the_middle(project: Project, stack: str, number: signal.Signals) -> str:
    lines: list[str] = []
    with project.start("up", "--stack", stack, "--yes", "--skip-preview") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if MIDDLE in line and process.poll() is None and not any(MIDDLE in one for one in lines):
                os.kill(process.pid, number)
            lines.append(line)
    output = "".join(lines)
    assert MIDDLE in output
    assert process.returncode != 0, output
    return output


def test_eng_09_ctrl_c(project: Project) -> None:
    output = stopped_in_the_middle(project, "dev", signal.SIGINT)
    assert "cancel" in output
    up = project.up("dev")
    assert "pending operations" not in up
    assert "unchanged" in up  # the first one's work is kept
    project.run("preview", "--stack", "dev", "--expect-no-changes")


def test_eng_09_a_killed_update_is_reported_by_the_next(project: Project) -> None:
    """The worst case: no goodbye. It leaves its lock; with a backend of files also half a state, if it was writing."""
    stopped_in_the_middle(project, "prod", signal.SIGKILL)
    output = project.run("up", "--stack", "prod", "--yes", "--skip-preview", refused=True)
    said = refusal(output, "prod")
    assert said is not None, output
    if "failed to load checkpoint" in output:
        assert said.startswith("the last update of stack prod was killed while the engine wrote its state")
        return
    assert said.startswith("stack prod is locked by another update")
    project.run("cancel", "prod", "--yes")
    project.run("preview", "--stack", "prod")
