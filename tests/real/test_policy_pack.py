"""The rules of ``policy`` as a policy pack under the real engine."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.real import judging
from tests.real.world import Project, World

pytestmark = pytest.mark.real
PACK = "policy"
#: Without an owner of its messages: neither a dead-letter queue nor encryption, nor tags.
QUEUE = '    import pulumi_aws as aws\n    aws.sqs.Queue("leaky", name="cqrs-dev-leaky")\n    return Application()'


@pytest.fixture(scope="module")
def project(world: World) -> Project:
    """A stack that was never created, beside the pack with its environment."""
    environment = judging.folder() / "pulumi-policy"
    if not environment.exists():
        pytest.skip(judging.versions()["pulumi-policy"])
    project = world.program()
    shutil.copytree(World.source / PACK, project.folder / PACK, dirs_exist_ok=True)
    place = project.folder / ".local" / PACK
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(environment)
    for stack in ("dev", "prod"):
        project.init(stack)
    return project


def test_inf_09_the_committed_stacks_keep_every_rule(project: Project) -> None:
    for stack, more in (("dev", ()), ("prod", ("--policy-pack-config", f"{PACK}/protected.json"))):
        output = project.run("preview", "--stack", stack, "--policy-pack", PACK, *more)
        assert "Policies:" in output
        assert "[mandatory]" not in output
        told = re.findall(r"\[advisory\].*\n(?:.*\n)?", output)
        assert [one for one in told if "can't run policy" not in one] == []  # it needs a value that is not known yet


def test_inf_09_a_stack_without_protection_is_refused(project: Project) -> None:
    arguments = ("--policy-pack", PACK, "--policy-pack-config", f"{PACK}/protected.json")
    output = project.run("preview", "--stack", "dev", *arguments, refused=True)
    assert len(set(re.findall(r"table-protected", output))) == 1
    assert "recovery and protection are on" in output


def test_inf_09_a_broken_rule_is_reported_with_its_resource(project: Project) -> None:
    own = project.folder / "infra" / "application.py"
    text = own.read_text(encoding="utf-8")
    own.write_text(text.replace("    return Application()", QUEUE), encoding="utf-8")
    try:
        output = project.run("preview", "--stack", "dev", "--policy-pack", PACK, refused=True)
    finally:
        own.write_text(text, encoding="utf-8")
    assert "leaky" in output.partition("Policies:")[2]
