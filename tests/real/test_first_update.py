"""ENG-01, ENG-02: the files as committed go through the real engine, for both stacks."""

from __future__ import annotations

import pytest

from tests.infra.test_outputs import OUTPUTS
from tests.real.world import Project, World

pytestmark = pytest.mark.real
STACKS = ("dev", "prod")


@pytest.fixture(scope="module")
def project(world: World) -> Project:
    project = world.program()
    for stack in STACKS:
        project.init(stack)
    return project


@pytest.mark.parametrize("stack", STACKS)
def test_eng_01_preview_and_up_from_the_files_as_committed(project: Project, stack: str) -> None:
    preview = project.run("preview", "--stack", stack)
    assert "error" not in preview
    assert "warning" not in preview
    up = project.up(stack)
    assert "warning" not in up
    assert set(project.outputs(stack)) == OUTPUTS


@pytest.mark.parametrize("stack", STACKS)
def test_eng_02_a_second_preview_has_nothing_to_do(project: Project, stack: str) -> None:
    project.run("preview", "--stack", stack, "--expect-no-changes")
