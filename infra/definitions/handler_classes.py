"""The application's classes in the source of handler modules, which is parsed with ``ast`` and never run.

The deployment needs the parameters of their constructors, since the functions' permissions follow from them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.collaborators import COLLABORATORS, OF_WORKFLOWS
from infra.definitions.sources import tree_of
from infra.definitions.workflow_sources import member_of

SYNC_HANDLER = "sync_handler"
TASK_HANDLER = "task_handler"
IMPORT_STRATEGY = "import_strategy"
WORKFLOW = "workflow"
KINDS = (SYNC_HANDLER, TASK_HANDLER, IMPORT_STRATEGY, WORKFLOW)
#: The mode of a table's import strategy that applies rows at once (``handlers.imports.files.layout``).
SYNC = "SYNC"


@dataclass(frozen=True)
class HandlerClass:
    """One decorated class. ``kind`` is its decorator; ``asks`` are the parameters of its constructor.

    ``id`` and ``type`` of a sync handler are None if they are neither literals nor constants of the module.
    """

    kind: str
    where: str
    asks: tuple[str, ...]
    id: str | None = None
    type: str | None = None
    takes_previous: bool = False
    applies_rows: bool = False


def handler_classes(members: Mapping[str, Path], modules: Sequence[str]) -> list[HandlerClass]:
    """The decorated classes of the modules, in source order. The modules must compile (``check_modules``)."""
    return [one for module in modules for one in _of_module(module, members[member_of(members, module)])]


def problems_of(classes: Iterable[HandlerClass]) -> Iterator[str]:
    """One message per constructor parameter that isn't available."""
    for one in classes:
        known = (*COLLABORATORS, *(OF_WORKFLOWS if one.kind == WORKFLOW else ()))
        for name in one.asks:
            if name not in known:
                yield f"{one.where}: unknown parameter {name!r}; available: {', '.join(sorted(known))}"


def _of_module(module: str, path: Path) -> Iterator[HandlerClass]:
    tree = tree_of(path)
    constants = {
        target.id: _literal(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for call in node.decorator_list:
            kind = _name(call.func) if isinstance(call, ast.Call) else ""
            if kind in KINDS:
                assert isinstance(call, ast.Call)
                yield _class(kind, f"{module}.{node.name}", node, call, constants)


def _class(
    kind: str, where: str, node: ast.ClassDef, call: ast.Call, constants: Mapping[str, str | None]
) -> HandlerClass:
    given = {keyword.arg: _literal(keyword.value, constants) for keyword in call.keywords}
    first = _literal(call.args[0], constants) if call.args else None
    methods = {one.name: one for one in node.body if isinstance(one, ast.FunctionDef)}
    return HandlerClass(
        kind,
        where,
        _parameters(methods["__init__"]) if "__init__" in methods else (),
        id=given.get("id") if kind == SYNC_HANDLER else None,
        type=first if kind == SYNC_HANDLER else None,
        takes_previous=kind == SYNC_HANDLER and "up" in methods and len(_parameters(methods["up"])) > 1,
        # A name instead of a literal may be SYNC, so it is treated as such: the function may get too many permissions.
        applies_rows=kind == IMPORT_STRATEGY and "publish" in given and given["publish"] in (SYNC, None),
    )


def _parameters(function: ast.FunctionDef) -> tuple[str, ...]:
    """The names of all parameters but ``self``."""
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args)][1:]
    return (*names, *(one.arg for one in (given.vararg, *given.kwonlyargs, given.kwarg) if one is not None))


def _literal(node: ast.expr, constants: Mapping[str, str | None] | None = None) -> str | None:
    """The string of a literal or of a constant of the module; None for anything else."""
    if isinstance(node, ast.Name):
        return (constants or {}).get(node.id)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _name(node: ast.expr) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))
