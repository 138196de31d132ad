"""Mutants of a source file: small changes of its syntax tree, each as an edit of the text.

What is left alone holds no behaviour of the product: docstrings, annotations, ``typing`` protocols, assertions for the
type checker, log lines, texts, and arguments of ``@dataclass``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutation.operators import Edit, edits_of
from tests.mutation.text import SourceText

MODULE = "<module>"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change. ``line`` to ``last_line``: where it is; ``before`` and ``after``: those lines, blanks collapsed."""

    file: str
    function: str
    operator: str
    line: int
    last_line: int
    before: str
    after: str
    source: str

    @property
    def compiles(self) -> bool:
        """Whether Python takes the changed text; slow enough to be asked of the chosen ones only."""
        try:
            compile(self.source, self.file, "exec")
        except SyntaxError:
            return False
        return True

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names it when lines move: file, function, text before and after."""
        return self.file, self.function, self.before, self.after

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.function} [{self.operator}] {self.before} -> {self.after}"


def mutants_of(file: str, source: str) -> list[Mutant]:
    """All mutants of a file in the order of the text; some don't compile. ``file``: its path from the root."""
    text = SourceText(source)
    found: dict[str, Mutant] = {}
    for function, edit in _sites(ast.parse(source), text):
        mutant = _mutant(file, function, edit, text)
        if mutant is not None and mutant.source not in found:
            found[mutant.source] = mutant
    return sorted(found.values(), key=lambda one: (one.line, one.last_line, one.operator, one.after))


def _mutant(file: str, function: str, edit: Edit, text: SourceText) -> Mutant | None:
    changed = text.replaced(edit.start, edit.end, edit.new)
    if changed == text.source:
        return None
    first, last = text.line_at(edit.start), text.line_at(max(edit.start, edit.end - 1))
    before, after = text.lines_around(edit.start, edit.end, edit.new)
    return Mutant(file, function, edit.operator, first, last, before, after, changed)


def _sites(tree: ast.Module, text: SourceText) -> Iterator[tuple[str, Edit]]:
    yield from _walk(tree, None, (), text)


def _walk(
    node: ast.AST, parent: ast.AST | None, names: tuple[str, ...], text: SourceText
) -> Iterator[tuple[str, Edit]]:
    if _is_left_alone(node):
        return
    inner = (*names, node.name) if isinstance(node, ast.FunctionDef | ast.ClassDef) else names
    for edit in edits_of(node, parent, text):
        yield ".".join(inner) or MODULE, edit
    for child in _children(node):
        yield from _walk(child, node, inner, text)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "type_params"):
            continue
        for child in value if isinstance(value, list) else (value,):
            if isinstance(child, ast.AST):
                yield child


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.JoinedStr() | ast.Assert() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Call(func=ast.Name(id="log_step" | "dataclass")) | ast.Call(func=ast.Attribute(attr="add_argument")):
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr="_log" | "__init__"))):
            return True  # a log line; the text of an error
        case ast.ClassDef(bases=[*_, ast.Name(id="Protocol")]) | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.FunctionDef(name="__repr__" | "__str__"):
            return True
        case ast.Assign(value=ast.BinOp(op=ast.BitOr(), left=ast.Name(id="str" | "int" | "float" | "Mapping"))):
            return True  # an alias of types
        case ast.Call(func=ast.Name(id="TypeVar" | "cast" | "isinstance")):
            return True
    return False
