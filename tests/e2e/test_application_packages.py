"""APP-01, deployed: handlers that import packages, handlers in packages, and nothing that only the laptop has."""

from __future__ import annotations

import sys
from pathlib import Path

import markupsafe._speedups
import pytest
from pulumi import AssetArchive, FileAsset

from handlers import CommandInput
from infra.capabilities.application import KINDS_OF
from local.testing import ApplicationTest
from tests.support.deployments import project
from tests.support.wheels import ARM64, HERE, only, wheel

#: A handler that writes what ``value`` makes of the command into a row of its own.
HANDLER = '''"""A handler of a test."""

{imports}

from handlers import Command, TableStore, sync_handler


@sync_handler("{type}", id="{id}")
class Handler:
    def __init__(self, store: TableStore) -> None:
        self._store = store

    def up(self, command: Command) -> None:
        assert isinstance(command, Command), "another package of the same name"
        self._store.put("data", {{"pk": "{kind}#t1", "sk": command.code, "version": command.version, "is": {value}}})
'''


STRATEGY = '''"""Files of a test."""

import greeting

from handlers import LATEST, CommandInput, ImportStrategy, Row, import_strategy


@import_strategy("words", columns=("code", "name"), key=("code",))
class Words(ImportStrategy):
    def map(self, row: Row) -> CommandInput:
        return CommandInput("ACME", row["code"], greeting.greet(row["name"]), {}, LATEST)
'''


TASK = '''"""Tasks of a test."""

from handlers import task_handler


@task_handler("count")
class Count:
    def run(self, word: str) -> int:
        return len(word)
'''


def handler(kind: str, imports: str, value: str) -> str:
    return HANDLER.format(imports=imports, type=kind, id=kind.lower(), kind=kind, value=value)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    wheels = tmp_path / "wheels"
    for name, value in only(wheels).items():
        monkeypatch.setenv(name, value)
    speedups = Path(markupsafe._speedups.__file__)
    code = "from ._speedups import _escape_inner as escape\n"
    compiled = {f"fastescape/{speedups.name}": speedups.read_bytes()}
    wheel(wheels, "greeting", "1.0", {"greeting.py": "def greet(name):\n    return 'Hello ' + name\n"})
    wheel(wheels, "fastescape", "1.0", {"fastescape/__init__.py": code, **compiled}, tag=HERE)
    other = {"fastescape/_speedups.cpython-313-aarch64-linux-gnu.so": b"\x7fELF of arm64"}
    wheel(wheels, "fastescape", "1.0", {"fastescape/__init__.py": code, **other}, tag=ARM64)
    notes = {"company/__init__.py": "", "company/notes.py": handler("NOTE", "import greeting", "greeting.greet('you')")}
    wheel(wheels, "company_handlers", "1.0", notes)
    files = {
        "mine.py": handler("MINE", "import fastescape\nimport greeting", "greeting.greet(fastescape.escape('<b>'))"),
        "counts.py": TASK,
        "lucky.py": handler("LUCKY", "import moto", "moto.__version__"),
    }
    copy = project(tmp_path, files)
    acme = copy / "src/acme"
    acme.mkdir(parents=True)
    (acme / "__init__.py").write_text("")
    (acme / "words.py").write_text("WORD = 'own'\n")
    (acme / "files.py").write_text(STRATEGY)
    (acme / "orders.py").write_text(handler("ACME", "from acme.words import WORD", "WORD"))
    (copy / "handlers/requirements.txt").write_text("greeting==1.0\nfastescape==1.0\ncompany-handlers==1.0\n")
    return copy


def test_app_01_packages_pure_and_compiled_and_handlers_in_them(folder: Path) -> None:
    """Strategies and tasks are those that are deployed, too: this process can import none of them."""
    modules = ["handlers.domain.mine", "acme.orders", "company.notes", "acme.files", "handlers.domain.counts"]
    with ApplicationTest(modules, config={"applicationPackages": ["src/acme"]}, project_dir=folder) as app:
        assert app.task("count", "three").result == 5
        assert app.import_file("words", "code,name\nc2,Another\n").status == "COMPLETED"
        current = app.get("ACME", "c2")
        assert current is not None
        assert current.name == "Hello Another"
        for kind in ("MINE", "ACME", "NOTE"):
            app.publish(CommandInput(kind, "c1", "A name", {}))
        app.run()
        assert [app.outcome(kind, "c1") for kind in ("MINE", "ACME", "NOTE")] == ["APPLIED"] * 3
        found = {kind: [row["is"] for row in app.rows(kind)] for kind in ("MINE", "ACME", "NOTE")}
        assert found == {"MINE": ["Hello &lt;b&gt;"], "ACME": ["own", "own"], "NOTE": ["Hello you"]}
        resources = app.runtime.deployment.resources
        (layer,) = (one for one in resources if one.type == "aws:lambda/layerVersion:LayerVersion")
        functions = [one for one in resources if one.type == "aws:lambda/function:Function"]
        assert layer.inputs["compatibleArchitectures"] == ["arm64"]
        code = layer.inputs["code"]
        assert isinstance(code, AssetArchive)
        so = code.assets["python/fastescape/_speedups.cpython-313-aarch64-linux-gnu.so"]
        assert isinstance(so, FileAsset)
        assert Path(so.path).read_bytes() == b"\x7fELF of arm64"
        using = {one.inputs["name"] for one in functions if layer.outputs["arn"] in (one.inputs.get("layers") or ())}
        assert using == {f"cqrs-dev-{name}" for name in KINDS_OF}
        mine = folder / "handlers/domain/mine.py"
        mine.write_text(mine.read_text().replace("greeting.greet(", "'again: ' + greeting.greet("))
        assert "states" in app.runtime.renew()  # an edited handler is taken beside the layer, which is the same
        assert app.runtime.renew() == []
    assert not {"acme.files", "handlers.domain.counts"} & sys.modules.keys()


def test_app_01_what_only_the_laptop_has_is_not_importable(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "handlers/requirements.txt").write_text("")
    with ApplicationTest(["handlers.domain.lucky"], project_dir=folder) as app:
        app.publish(CommandInput("LUCKY", "c1", "A name", {}))
        app.run_for(60)
        states = next(name for name in app.runtime.host.names if name.endswith("-states"))
        answers = []
        app.scheduler.spawn(lambda: answers.append(app.runtime.host.invoke(states, {})))
        app.run_for(1)
        assert answers[0].error is not None
        assert "No module named 'moto'" in answers[0].error.message
        assert app.outcome("LUCKY", "c1") != "APPLIED"
        told = [one for one in caplog.records if "No module named 'moto'" in one.getMessage()]
        assert len(told) > 1  # the call is repeated
        assert [one.exc_info is not None for one in told].count(True) == 1
        assert not [one for one in app.runtime.deployment.resources if "layerVersion" in one.type]
