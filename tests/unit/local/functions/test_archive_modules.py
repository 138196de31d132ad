"""Archives don't see each other, nor the process's own packages of the same name."""

from __future__ import annotations

import contextvars
import importlib
import os
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

import handlers as repository_handlers
from local.functions.archive_modules import ArchiveModules
from local.functions.environment import function_environment


def archive(directory: Path, label: str, **files: str) -> ArchiveModules:
    texts = {"handlers/__init__.py": "", "handlers/label.py": f"LABEL = {label!r}\n"}
    texts |= {f"handlers/{name}.py": dedent(text) for name, text in files.items()}
    for path, text in texts.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    return ArchiveModules(directory)


MAIN = """
    from __future__ import annotations
    from dataclasses import dataclass
    from handlers.label import LABEL
    from . import label

    @dataclass(frozen=True)
    class Point:
        x: int

    def now():
        return LABEL, label.LABEL, Point(1).x

    def later():
        from handlers import lazy
        import handlers.label
        return lazy.LABEL, handlers.label.LABEL
"""
LAZY = "from handlers.label import LABEL\n"


def test_two_archives_with_different_code_in_one_process(tmp_path: Path) -> None:
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "handlers"}
    path_before, meta_before = list(sys.path), list(sys.meta_path)
    first = archive(tmp_path / "a", "one", main=MAIN, lazy=LAZY).load("handlers.main")
    second = archive(tmp_path / "b", "two", main=MAIN, lazy=LAZY).load("handlers.main")

    assert (first.now(), second.now()) == (("one", "one", 1), ("two", "two", 1))
    assert (first.later(), second.later()) == (("one", "one"), ("two", "two"))
    after = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "handlers"}
    assert after == before
    assert sys.modules["handlers"] is repository_handlers
    assert (sys.path, sys.meta_path) == (path_before, meta_before)


def test_the_same_module_on_every_load_and_imports_by_name(tmp_path: Path) -> None:
    by_name = """
        import importlib
        from importlib import import_module
        def both():
            return importlib.import_module("handlers.label"), import_module("handlers.label")
    """
    modules = archive(tmp_path, "one", main=MAIN, by_name=by_name)
    main = modules.load("handlers.main")

    assert modules.load("handlers.main") is main
    assert modules.load("handlers.by_name").both() == (modules.load("handlers.label"), modules.load("handlers.label"))
    assert importlib.import_module("handlers") is repository_handlers


def test_environment_variables_are_those_of_the_function_that_runs(tmp_path: Path) -> None:
    text = """
        import os
        import os.path
        from os import environ, getenv, path
        def found():
            return os.environ.get("WHO"), getenv("WHO"), "PATH" in environ, dict(environ), path.sep, os.sep
    """
    found = archive(tmp_path, "one", env=text).load("handlers.env").found
    before = dict(os.environ)

    def as_function(name: str) -> Any:
        function_environment.set({"WHO": name})
        return found()

    for name in ("one", "two"):
        seen = contextvars.copy_context().run(as_function, name)
        assert seen == (name, name, False, {"WHO": name}, "/", "/")
    assert found()[3] == before == dict(os.environ)


def test_each_package_of_an_archive_is_its_own(tmp_path: Path) -> None:
    """``contract`` stands beside ``handlers``, in every archive and in the repository."""
    text = "from contract.word import WORD\nimport contract.word\nfound = WORD, contract.word.WORD\n"
    found = []
    for label in ("one", "two"):
        folder = tmp_path / label / "contract"
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "word.py").write_text(f"WORD = {label!r}\n")
        found.append(archive(tmp_path / label, label, main=text).load("handlers.main").found)

    assert found == [("one", "one"), ("two", "two")]
    assert "contract.word" not in sys.modules


def test_a_closed_archive_leaves_nothing_in_the_process(tmp_path: Path) -> None:
    before = set(sys.modules)
    modules = archive(tmp_path, "one", main=MAIN, lazy=LAZY)
    main = modules.load("handlers.main")
    modules.close()

    assert set(sys.modules) - before == set()
    assert main.now() == ("one", "one", 1)
    with pytest.raises(ModuleNotFoundError, match="No module named 'handlers': its archive was closed"):
        main.later()


def test_the_repository_is_not_found_through_an_archive(tmp_path: Path) -> None:
    modules = archive(tmp_path, "one", wants="import handlers.core.keys\n")

    with pytest.raises(ModuleNotFoundError, match=r"No module named 'handlers\.core'"):
        modules.load("handlers.wants")
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'local\.scheduler'"):
        modules.load("local.scheduler")
    assert sys.modules["handlers"] is repository_handlers


def test_an_archive_stays_as_it_was_packaged(tmp_path: Path) -> None:
    archive(tmp_path, "one", main=MAIN, lazy=LAZY).load("handlers.main").later()

    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "__init__.py",
        "label.py",
        "lazy.py",
        "main.py",
    ]
