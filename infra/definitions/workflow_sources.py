"""Workflows in the source of handler modules, which is parsed with ``ast`` and never run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from contract.state_machines import EXPRESS, STANDARD
from infra.definitions.sources import tree_of

DECORATOR = "workflow"
SUFFIX = ".asl.json"
TYPES = (STANDARD, EXPRESS)
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Declared:
    """A workflow class as declared in its source."""

    name: str
    type: str
    module: str
    cls: str
    methods: tuple[str, ...]


def member_of(members: Mapping[str, Path], module: str) -> str:
    """The path in the archive of a module, which may be a package."""
    base = module.replace(".", "/")
    return f"{base}.py" if f"{base}.py" in members else f"{base}/__init__.py"


def declared_workflows(module: str, path: Path, problems: list[str]) -> Iterator[Declared]:
    """The decorated classes of a module. Arguments that can't be read from the source are added to ``problems``."""
    for node in ast.walk(tree_of(path)):
        for call in _decorators(node):
            assert isinstance(node, ast.ClassDef)
            where = f"{module}.{node.name}"
            name, type_ = _arguments(call)
            wrong = None
            if not isinstance(name, str) or not NAME.fullmatch(name):
                wrong = (
                    f"workflow name {name!r} is not allowed; expected a literal of letters, digits, '-' and '_', "
                    "starting with a letter, at most 40 characters"
                )
            elif type_ not in TYPES:
                wrong = f"workflow type {type_!r} is not allowed; expected one of {', '.join(TYPES)}, as a literal"
            elif node.bases:
                wrong = "a workflow class must not have base classes: its states are read from its own methods"
            if wrong is not None:
                problems.append(f"{where}: {wrong}")
                continue
            functions = (one.name for one in node.body if isinstance(one, ast.FunctionDef) and not one.decorator_list)
            methods = tuple(one for one in functions if not one.startswith("_"))
            yield Declared(str(name), str(type_), module, node.name, methods)


def _decorators(node: ast.AST) -> Iterator[ast.Call]:
    for one in node.decorator_list if isinstance(node, ast.ClassDef) else ():
        if isinstance(one, ast.Call) and getattr(one.func, "id", getattr(one.func, "attr", "")) == DECORATOR:
            yield one


def _arguments(call: ast.Call) -> tuple[object, object]:
    """Name and type; None for an argument that isn't a literal."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    name = call.args[0] if call.args else given.get("name")
    type_ = given.get("type")
    return (
        name.value if isinstance(name, ast.Constant) else None,
        TYPES[0] if type_ is None else type_.value if isinstance(type_, ast.Constant) else None,
    )


def orphans(members: Mapping[str, Path], modules: Sequence[str]) -> Iterator[str]:
    """One message per definition next to a configured module that no class in the folder names (a mistyped name)."""
    for folder in sorted({str(PurePosixPath(member_of(members, module)).parent) for module in modules}):
        beside = [name for name in members if str(PurePosixPath(name).parent) == folder]
        named = {
            _arguments(call)[0]
            for name in beside
            if name.endswith(".py")
            for node in ast.walk(tree_of(members[name]))
            for call in _decorators(node)
        }
        for name in beside:
            if name.endswith(SUFFIX) and PurePosixPath(name).name.removesuffix(SUFFIX) not in named:
                yield f"{name}: no class with @workflow({PurePosixPath(name).name.removesuffix(SUFFIX)!r}) in {folder}"
