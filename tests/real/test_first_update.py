"""ENG-01, ENG-02: the files as committed go through the real engine, for both stacks."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.infra.test_outputs import OUTPUTS
from tests.real.judging import FULL
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


#: Beside what the judges are given: the API with tokens, and the third way to run commands.
MORE = {"apiIssuer": "https://issuer.example.com/", "apiAudience": ["cqrs"], "commandWorkflow": "INLINE"}


def test_eng_01_02_06_all_that_configuration_adds(world: World) -> None:
    project = world.program("full")
    project.init("full")
    given = {key: json.loads(text) if text[0] in "[t" else text for key, text in FULL.items()}
    shutil.copy2(project.folder / "Pulumi.dev.yaml", project.folder / "Pulumi.full.yaml")
    with project.configured("full", {**given, **MORE}):
        assert "warning" not in project.up("full")
        project.run("preview", "--stack", "full", "--expect-no-changes")
        project.run("destroy", "--stack", "full", "--yes")
    state = json.loads(project.run("stack", "export", "--stack", "full"))
    assert state["deployment"].get("resources", []) == []
