"""APP-08, in virtual time: code that is edited while the program runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.__main__ import main
from handlers import CommandInput
from local.deploy.errors import DeployError
from local.testing import ApplicationTest
from tests.support.deployments import project
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


def test_app_08_what_needs_a_new_start_is_refused_as_a_whole(app: ApplicationTest, folder: Path) -> None:
    (folder / "handlers/domain/moody.py").write_text(MOODY.replace("ValueError", "RuntimeError"))
    program = folder / "__main__.py"
    program.write_text(f"{program.read_text()}\n\nimport pulumi_aws\n\npulumi_aws.sns.Topic('own-topic')\n")
    before = {name: app.runtime.host.get(name) for name in app.runtime.host.names}
    with pytest.raises(DeployError, match="start it again to have own-topic: resources that come, go or change"):
        app.runtime.renew()
    assert {name: app.runtime.host.get(name) for name in app.runtime.host.names} == before
