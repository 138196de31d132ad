"""The ways in which a node can be changed.

Chosen after the faults that a reviewer looks for in conditional writes and handshakes: a comparison off by one or the
wrong way round, a condition dropped or weakened, a step left out or in another order, an error that nobody handles any
more, a field that is not stored. Texts are not changed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.mutation.text import SourceText


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes from ``start`` to ``end``."""

    operator: str
    start: int
    end: int
    new: str


_COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">="),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<="),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
_ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "//",
    ast.FloorDiv: "*",
    ast.Mod: "//",
    ast.BitAnd: "|",
    ast.BitOr: "&",
}
#: Functions of the store's conditions, and built-in ones, that are easily mistaken for each other.
_LOOKALIKES = {
    "less": "at_most",
    "at_most": "less",
    "absent": "exists",
    "exists": "absent",
    "any": "all",
    "all": "any",
    "min": "max",
    "max": "min",
}
_SIMPLE = ast.Expr | ast.Assign | ast.AugAssign | ast.AnnAssign


def edits_of(node: ast.AST, parent: ast.AST | None, text: SourceText) -> Iterator[Edit]:
    """The changes of this very node; those of its children are asked for apart."""
    match node:
        case ast.Compare():
            yield from _comparison(node, text)
        case ast.BoolOp():
            yield from _junction(node, text)
        case ast.BinOp():
            yield from _arithmetic(node, text)
        case ast.UnaryOp(op=ast.Not() | ast.Invert()):
            yield Edit("negation", *text.span(node), text.of(node.operand))
        case ast.Constant():
            yield from _constant(node, text)
        case ast.Call():
            yield from _call(node, text)
        case ast.If() | ast.IfExp():
            if isinstance(node.test, ast.Name | ast.Attribute | ast.Call):
                yield Edit("negation", *text.span(node.test), f"(not {text.of(node.test)})")
        case ast.Dict():
            yield from _entries(node, text)
        case ast.Set() | ast.Tuple() | ast.List():
            yield from _elements(node, parent, text)
        case ast.ExceptHandler():
            yield from _handler(node, text)
    for body in _bodies(node):
        yield from _removals(node, body, text)
        yield from _swaps(body, text)


def _comparison(node: ast.Compare, text: SourceText) -> Iterator[Edit]:
    left = node.left
    for operator, right in zip(node.ops, node.comparators, strict=True):
        start, end = text.span(left)[1], text.span(right)[0]
        between = text.between(start, end)
        old = _spelled(operator)
        if between.count(old) == 1:
            for new in _COMPARISONS[type(operator)]:
                yield Edit("comparison", start, end, between.replace(old, new))
        left = right


def _spelled(operator: ast.cmpop) -> str:
    return {
        ast.Lt: "<",
        ast.LtE: "<=",
        ast.Gt: ">",
        ast.GtE: ">=",
        ast.Eq: "==",
        ast.NotEq: "!=",
        ast.Is: "is",
        ast.IsNot: "is not",
        ast.In: "in",
        ast.NotIn: "not in",
    }[type(operator)]


def _junction(node: ast.BoolOp, text: SourceText) -> Iterator[Edit]:
    operands = [_operand(one, text) for one in node.values]
    word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
    yield Edit("and/or", *text.span(node), f"({f' {other} '.join(operands)})")
    for left_out in range(len(operands)):
        rest = operands[:left_out] + operands[left_out + 1 :]
        yield Edit("condition dropped", *text.span(node), f"({f' {word} '.join(rest)})")


def _operand(node: ast.expr, text: SourceText) -> str:
    of = text.of(node)
    return f"({of})" if isinstance(node, ast.BoolOp | ast.IfExp | ast.Lambda) else of


def _arithmetic(node: ast.BinOp, text: SourceText) -> Iterator[Edit]:
    other = _ARITHMETIC.get(type(node.op))
    if other is None or _is_text(node.left) or _is_text(node.right):
        return
    left, right = _factor(node.left, text), _factor(node.right, text)
    yield Edit("arithmetic", *text.span(node), f"({left} {other} {right})")
    if isinstance(node.op, ast.BitAnd | ast.BitOr):
        yield Edit("condition dropped", *text.span(node), left)
        yield Edit("condition dropped", *text.span(node), right)


def _factor(node: ast.expr, text: SourceText) -> str:
    of = text.of(node)
    return f"({of})" if isinstance(node, ast.BinOp | ast.BoolOp | ast.IfExp | ast.Compare) else of


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _constant(node: ast.Constant, text: SourceText) -> Iterator[Edit]:
    value = node.value
    if isinstance(value, bool):
        yield Edit("constant", *text.span(node), str(not value))
    elif isinstance(value, int | float):
        yield Edit("constant", *text.span(node), repr(value + 1))
        if value >= 1:
            yield Edit("constant", *text.span(node), repr(value - 1))


def _call(node: ast.Call, text: SourceText) -> Iterator[Edit]:
    if isinstance(node.func, ast.Name) and node.func.id in _LOOKALIKES:
        yield Edit("lookalike", *text.span(node.func), _LOOKALIKES[node.func.id])
    callee = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if callee[:1].isupper() or callee in ("dict", "field", "dumps"):
        return
    arguments = sorted([*node.args, *node.keywords], key=text.span)
    for number, argument in enumerate(arguments):
        if isinstance(argument, ast.keyword) and argument.arg not in (None, "strict", "help"):
            yield _without(arguments, number, text, "argument dropped")


def _entries(node: ast.Dict, text: SourceText) -> Iterator[Edit]:
    for number, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
        start = text.span(key)[0] if key is not None else text.span(value)[0] - len("**")
        following = [*node.keys, None][number + 1]
        if number + 1 < len(node.values):
            after = node.values[number + 1]
            end = text.span(following)[0] if following is not None else text.span(after)[0] - len("**")
        else:
            end = text.span(value)[1]
        yield Edit("field dropped", start, end, "")


def _elements(node: ast.Set | ast.Tuple | ast.List, parent: ast.AST | None, text: SourceText) -> Iterator[Edit]:
    """Of collections of names that something is looked up in; others are pairs, arguments, results."""
    names = all(isinstance(one, ast.Name | ast.Attribute | ast.Constant | ast.Starred) for one in node.elts)
    looked_up = isinstance(node, ast.Set) or isinstance(
        parent, ast.Compare | ast.ExceptHandler | ast.keyword | ast.Call | ast.Assign
    )
    if len(node.elts) < 2 or not names or not looked_up or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        return
    for number in range(len(node.elts)):
        edit = _without(node.elts, number, text, "element dropped")
        if len(node.elts) == 2 and isinstance(node, ast.Tuple):
            edit = Edit(edit.operator, *text.span(node), f"({text.of(node.elts[1 - number])},)")
        yield edit


def _without(parts: Sequence[ast.AST], number: int, text: SourceText, operator: str) -> Edit:
    if number + 1 < len(parts):
        return Edit(operator, text.span(parts[number])[0], text.span(parts[number + 1])[0], "")
    start = text.span(parts[number - 1])[1] if number else text.span(parts[number])[0]
    return Edit(operator, start, text.span(parts[number])[1], "")


def _handler(node: ast.ExceptHandler, text: SourceText) -> Iterator[Edit]:
    if isinstance(node.body[0], ast.Raise) and node.body[0].exc is None:
        return
    yield Edit("handler dropped", text.span(node.body[0])[0], text.span(node.body[-1])[1], "raise")


def _bodies(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        body = getattr(node, field, None)
        if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
            yield body


def _removals(owner: ast.AST, body: list[ast.stmt], text: SourceText) -> Iterator[Edit]:
    for statement in body:
        if _is_removable(statement, last=statement is body[-1] and isinstance(owner, ast.FunctionDef)):
            yield Edit("statement dropped", *text.span(statement), "pass")


def _is_removable(statement: ast.stmt, *, last: bool) -> bool:
    match statement:
        case ast.Expr(value=ast.Call(func=func)):
            return not _logs(func)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.AugAssign() | ast.Delete():
            return True
        case ast.Raise(exc=exc):
            return not (isinstance(exc, ast.Name) and exc.id == "NotImplementedError")
        case ast.Return():
            return not last
        case ast.Continue() | ast.Break():
            return True
    return False


def _logs(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in ("log_step", "_log", "__init__", "add_argument")


def _swaps(body: list[ast.stmt], text: SourceText) -> Iterator[Edit]:
    for first, second in pairwise(body):
        if not (isinstance(first, _SIMPLE) and isinstance(second, _SIMPLE) and _acts(first) and _acts(second)):
            continue
        if _stored(first) & _names(second) or _stored(second) & _names(first):
            continue
        start, end = text.span(first)[0], text.span(second)[1]
        between = text.between(text.span(first)[1], text.span(second)[0])
        one, other = text.between(*text.span(first)), text.between(*text.span(second))
        yield Edit("order", start, end, f"{other}{between}{one}")


def _acts(statement: ast.stmt) -> bool:
    """Whether it calls something that may have an effect: a collaborator, or anything for the effect alone."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Call) and not _logs(statement.value.func)
    calls = [one.func for one in ast.walk(statement) if isinstance(one, ast.Call)]
    return any(isinstance(one, ast.Attribute) and _is_collaborator(one.value) and one.attr != "now" for one in calls)


def _is_collaborator(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def _stored(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
