"""ENG-09: an update that is interrupted in the middle goes on with the next one."""

from __future__ import annotations

import os
import signal

import pytest

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


def test_eng_09_a_killed_update_leaves_its_lock(project: Project) -> None:
    """The worst case: no goodbye. The lock says so; ``cancel`` drops it."""
    stopped_in_the_middle(project, "prod", signal.SIGKILL)
    locked = project.run("up", "--stack", "prod", "--yes", "--skip-preview", refused=True)
    assert "the stack is currently locked by 1 lock(s)" in locked
    project.run("cancel", "prod", "--yes")
    project.run("preview", "--stack", "prod")
