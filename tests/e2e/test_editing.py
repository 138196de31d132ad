"""APP-08, in virtual time: code that is edited while the program runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.__main__ import main
from handlers import CommandInput
from local.deploy.errors import DeployError
from local.deploy.program import Engine
from local.deploy.project import Stack
from local.deploy.renewal import FUNCTION
from local.runtime import LocalRuntime
from local.scheduler import Scheduler
from local.testing import ApplicationTest
from local.testing.application import shared_work_dir
from tests.support.deployments import REPLAYED, project
from tests.support.moody import MOODY

MODULE = "handlers.domain.moody"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, {"moody.py": MOODY})


@pytest.fixture
def app(folder: Path) -> Iterator[ApplicationTest]:
    with ApplicationTest([MODULE], project_dir=folder) as app:
        yield app


def test_app_08_a_handler_is_repaired_and_its_command_redriven(app: ApplicationTest, folder: Path) -> None:
    module = folder / "handlers/domain/moody.py"
    app.publish(CommandInput("MOOD", "m1", "A mood", {"bad": True}))
    app.run()
    assert app.outcome("MOOD", "m1") == "FAILED"

    module.write_text(MOODY.replace("raise ", "raise ("))
    with pytest.raises(DeployError, match=r"'handlers\.domain\.moody' has a syntax error"):
        app.runtime.renew()
    app.publish(CommandInput("MOOD", "m2", "A mood", {"bad": False}))
    app.run()
    assert app.outcome("MOOD", "m2") == "APPLIED"  # by the code of before

    module.write_text(MOODY.replace('if command.attributes["bad"]', 'if command.name == "Bad"'))
    assert "states" in app.runtime.renew()
    assert app.runtime.renew() == []
    assert main(["redrive", "TENANT#t1 MOOD#m1@1"]) == 0
    app.run()
    assert app.outcome("MOOD", "m1") == "APPLIED"


def test_app_08_code_alone_is_taken_without_the_program(folder: Path) -> None:
    """What a class asks for is in roles: the program says which."""
    evaluated: list[str] = []

    def evaluate(project_dir: Path, stack: Stack, engine: Engine) -> dict[str, Any]:
        evaluated.append(stack.name)
        return REPLAYED(project_dir, stack, engine)

    module = folder / "handlers/domain/moody.py"
    config = {"handlerModules": json.dumps([MODULE])}
    scheduler = Scheduler.virtual()
    with LocalRuntime(
        project_dir=folder, scheduler=scheduler, config=config, evaluate=evaluate, work_dir=shared_work_dir()
    ) as runtime:
        runtime.expect_edits()
        module.write_text(MOODY.replace("ValueError", "RuntimeError"))
        folders = {runtime.host.get(name).archive_dir for name in runtime.host.names}
        assert runtime.renew() == [one.name for one in runtime.deployment.of_type(FUNCTION)]
        assert folders.isdisjoint(runtime.host.get(name).archive_dir for name in runtime.host.names)
        assert evaluated == ["dev"]
        module.write_text(MOODY.replace("ValueError", "RuntimeError("))
        with pytest.raises(DeployError, match="syntax error"):
            runtime.renew()
        asks = "    def __init__(self, publisher: object) -> None:\n        ...\n\n    def up"
        module.write_text(MOODY.replace("    def up", asks))
        policies = {one.name for one in runtime.deployment.of_type("aws:iam/rolePolicy:RolePolicy")}
        assert policies.intersection(runtime.renew())
        assert len(evaluated) == 3
        module.write_text(MOODY.replace("    def up", asks.replace("...", "self.publisher = publisher")))
        assert policies.isdisjoint(runtime.renew())
        assert len(evaluated) == 3


def test_app_08_what_needs_a_new_start_is_refused_as_a_whole(app: ApplicationTest, folder: Path) -> None:
    (folder / "handlers/domain/moody.py").write_text(MOODY.replace("ValueError", "RuntimeError"))
    program = folder / "__main__.py"
    program.write_text(f"{program.read_text()}\n\nimport pulumi_aws\n\npulumi_aws.sns.Topic('own-topic')\n")
    before = {name: app.runtime.host.get(name) for name in app.runtime.host.names}
    with pytest.raises(DeployError, match="start it again to have own-topic: resources that come, go or change"):
        app.runtime.renew()
    assert {name: app.runtime.host.get(name) for name in app.runtime.host.names} == before
