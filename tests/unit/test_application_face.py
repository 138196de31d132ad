"""``handlers`` is what application code imports: lazy, typed, and the only way in (decision record 0185)."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import handlers
from local.functions.archive_modules import ArchiveModules

ROOT = Path(__file__).parents[2]
FACE = ROOT / "handlers" / "__init__.py"
APPLICATION = "handlers.domain"
OURS = ("handlers", "infra", "local", "cli", "contract", "policy", "tests")
#: What a page may import of ours beside the face: the laptop, and what ``infra/application.py`` is given.
TESTING = ("local.scheduler", "local.testing", "infra.components.application")
_FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def imported(source: str) -> Iterator[str]:
    """The modules that a source imports; a submodule by its own name, however it is imported."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for alias in node.names:
                below = (ROOT / base.replace(".", "/") / alias.name).with_suffix(".py")
                yield f"{base}.{alias.name}" if below.is_file() or below.with_suffix("").is_dir() else base


def internals(source: str, allowed: tuple[str, ...] = ()) -> list[str]:
    """What application code must not import. Relative imports stay in its own folder, ``..`` leads out."""
    return [
        name
        for name in imported(source)
        if name.startswith("..")
        or (
            (name.partition(".")[0] in OURS and name != "handlers" and name not in allowed)
            and not f"{name}.".startswith(f"{APPLICATION}.")
        )
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "handlers/domain").rglob("*.py")), ids=lambda path: path.name)
def test_the_application_imports_the_face_alone(path: Path) -> None:
    assert internals(path.read_text(encoding="utf-8")) == []


PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_show_the_face_alone(page: Path) -> None:
    blocks = _FENCE.findall(page.read_text(encoding="utf-8"))
    assert [name for block in blocks for name in internals(block, TESTING)] == []


@pytest.mark.parametrize(
    "line",
    [
        "from handlers.commands.model import Command",
        "from handlers.commands import model",
        "from handlers import commands",
        "import handlers.store.port",
        "from ..commands.model import Command",
        "def up(self):\n    from handlers.core import errors",
        "import infra",
    ],
)
def test_an_import_of_internals_is_found(line: str) -> None:
    assert len(internals(line)) == 1


@pytest.mark.parametrize(
    "line",
    ["import handlers", "from handlers import Command", "from handlers.domain.airports import TYPE", "from . import a"],
)
def test_what_application_code_may_import(line: str) -> None:
    assert internals(line) == []


def test_importing_the_face_loads_nothing_else_and_a_name_only_its_module() -> None:
    code = (
        "import json, sys, handlers\n"
        "ours = lambda: sorted(one for one in sys.modules if one.partition('.')[0] == 'handlers')\n"
        "before, heavy = ours(), sorted({'boto3', 'botocore', 'dataclasses', 'typing_extensions'} & set(sys.modules))\n"
        "from handlers import Clock\n"
        "print(json.dumps([before, heavy, ours()]))\n"
    )
    alone = f"import sys; sys.path[:0] = [{str(ROOT)!r}]\n{code}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", alone], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    before, heavy, after = json.loads(done.stdout)
    assert (before, heavy) == (["handlers"], [])
    assert after == ["handlers", "handlers.core", "handlers.core.clock"]


def test_each_name_resolves_to_what_type_checkers_see() -> None:
    (checked,) = [
        node
        for node in ast.parse(FACE.read_text()).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    typed = {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in checked.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(typed) == sorted(handlers.__all__)
    lazy = {name: (f"handlers.{module}", attribute) for name, (module, attribute) in handlers._PLACES.items()}
    assert lazy == typed
    for name, (module, attribute) in typed.items():
        __import__(module)
        assert getattr(handlers, name) is getattr(sys.modules[module], attribute)


def test_no_name_hides_a_module_of_the_package() -> None:
    """``import handlers.x`` would bind the module over the name."""
    modules = {path.stem for path in FACE.parent.iterdir()}
    assert sorted(modules & set(handlers.__all__)) == []


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Comand' from 'handlers'"):
        exec("from handlers import Comand")
    assert set(handlers.__all__) <= set(dir(handlers))


def test_in_an_archive_the_names_are_the_archives_own(tmp_path: Path) -> None:
    """The local runtime mounts each archive under a name of its own; the face must not lead out of it."""
    for package in ("handlers", "contract"):
        (tmp_path / package).symlink_to(ROOT / package)
    modules = ArchiveModules(tmp_path)
    try:
        face = modules.load("handlers")
        command = face.Command
        assert command is modules.load("handlers.commands.model").Command
        assert command is not handlers.Command
        assert modules.load("handlers.domain.orders").Command is command
    finally:
        modules.close()


def test_the_package_says_that_it_is_typed() -> None:
    assert (FACE.parent / "py.typed").read_text() == ""
