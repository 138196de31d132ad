"""Archives don't see each other, nor the process's own packages of the same name."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from textwrap import dedent

import pytest

import handlers as repository_handlers
from local.functions.archive_modules import ArchiveModules


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


def test_the_same_module_on_every_load_and_imports_by_name_inside_isolated(tmp_path: Path) -> None:
    modules = archive(tmp_path, "one", main=MAIN)
    main = modules.load("handlers.main")

    assert modules.load("handlers.main") is main
    with modules.isolated():
        assert importlib.import_module("handlers.label").LABEL == "one"
        assert importlib.import_module("handlers.main") is main


def test_the_repository_is_not_found_through_an_archive(tmp_path: Path) -> None:
    modules = archive(tmp_path, "one", wants="import handlers.keys\n")

    with pytest.raises(ModuleNotFoundError, match=r"No module named 'handlers\.keys'"):
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
