"""Conditions, filters and key conditions: their grammar, and the operands of operators and functions.

Developer Guide, "Comparison operator and function reference"; for error messages see ``tokens``. Source of the rule
that ordering needs text, numbers or bytes: dynamodb-conformance, for PartiQL, which has the same operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from local.aws.expressions.tokens import CONDITION_WORDS, Path, Reader, Used, Value

COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})
ORDERED = frozenset({"S", "N", "B"})
#: Function to its number of operands.
FUNCTIONS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}
MOST_OPTIONS = 100
#: Kinds of errors, in the order in which DynamoDB reports them.
SORTS = ("parentheses", "function", "misused", "reserved", "undefined", "count", "operand")


@dataclass(frozen=True, slots=True)
class Call:
    """A function; only ``size`` can be an operand."""

    name: str
    operands: tuple[Operand, ...]


Operand = Path | Value | Call


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison (with the operator as written), ``BETWEEN``, ``IN``, or a function, with its operands."""

    operator: str
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """``AND``, ``OR`` or ``NOT`` of conditions."""

    operator: str
    parts: tuple[Tree, ...]


Tree = Test | Joined


@dataclass(frozen=True)
class Examined:
    """A condition that is valid as far as the types of its values show.

    ``bounds``: the pair of each BETWEEN with two values; ``type_names``: values that name a type.
    """

    tree: Tree
    used: Used
    bounds: list[tuple[str, str]] = field(default_factory=list)
    type_names: list[str] = field(default_factory=list)


def examine(text: str, names: Mapping[str, str], types: Mapping[str, str]) -> Examined:
    """Raises ExpressionError: DynamoDB would refuse it."""
    reader = Reader(text, names, types, CONDITION_WORDS)
    parser = _Parser(reader)
    tree = parser.either()
    reader.expect_end()
    reader.used.raise_first(*SORTS)
    return Examined(tree, reader.used, parser.bounds, parser.type_names)


class _Parser:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._used = reader.used
        self.bounds: list[tuple[str, str]] = []
        self.type_names: list[str] = []

    def either(self) -> Tree:
        return self._joined("OR", self._both)

    def _both(self) -> Tree:
        return self._joined("AND", self._negated)

    def _joined(self, word: str, part: object) -> Tree:
        assert callable(part)
        parts = [part()]
        while self._reader.is_word(word):
            self._reader.take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _negated(self) -> Tree:
        if self._reader.is_word("NOT"):
            self._reader.take()
            return Joined("NOT", (self._negated(),))
        return self._primary()

    def _primary(self) -> Tree:
        """A group or a test. A parenthesis may open either: it is a group if no operator follows its end."""
        reader = self._reader
        if reader.peek() == "(" and not self._is_operand_in_parentheses():
            reader.take()
            tree = self.either()
            reader.expect(")")
            return tree
        left = self._operand()
        if reader.peek() in COMPARISONS:
            operator = reader.take()
            return self._test(operator, left, self._operand())
        if reader.is_word("BETWEEN"):
            reader.take()
            low = self._operand()
            if not reader.is_word("AND"):
                raise reader.unexpected()
            reader.take()
            return self._test("BETWEEN", left, low, self._operand())
        if reader.is_word("IN"):
            reader.take()
            return self._test("IN", left, *self._listed())
        if not isinstance(left, Call):
            raise reader.unexpected()
        if left.name == "size":
            self._misused("size")
        return Test(left.name, left.operands)

    def _is_operand_in_parentheses(self) -> bool:
        depth, ahead = 0, 0
        while token := self._reader.peek(ahead):
            depth += (token == "(") - (token == ")")
            ahead += 1
            if depth == 0:
                break
        after = self._reader.peek(ahead)
        return after in COMPARISONS or after.upper() in ("BETWEEN", "IN")

    def _operand(self) -> Operand:
        reader = self._reader
        if reader.peek() == "(":
            reader.take()
            operand = self._operand()
            reader.expect(")")
            return operand
        if reader.peek().startswith(":"):
            return reader.value()
        if not reader.is_function():
            return reader.path()
        name = reader.take()
        operands = tuple(self._listed())
        for operand in operands:
            if isinstance(operand, Call) and operand.name != "size":
                self._misused(operand.name)
        self._check_function(name, operands)
        return Call(name, operands)

    def _listed(self) -> list[Operand]:
        self._reader.expect("(")
        found = [self._operand()]
        while self._reader.peek() == ",":
            self._reader.take()
            found.append(self._operand())
        self._reader.expect(")")
        return found

    # -- operands of operators and functions --------------------------------------------------------

    def _test(self, operator: str, *operands: Operand) -> Test:
        for operand in operands:
            if isinstance(operand, Call) and operand.name != "size":
                self._misused(operand.name)
        if operator in COMPARISONS:
            self._check_distinct(operator, *operands)
        if operator not in ("=", "<>", "IN"):
            for operand in operands:
                if isinstance(operand, Value) and operand.kind is not None and operand.kind not in ORDERED:
                    self._bad_type(operator, operand.kind)
        if operator == "IN" and len(operands) - 1 > MOST_OPTIONS:
            text = "The IN operator is provided with too many operands; number of operands: "
            self._used.note("operand", f"{text}{len(operands) - 1}")
        if operator == "BETWEEN":
            low, high = operands[1:]
            if isinstance(low, Value) and isinstance(high, Value):
                self.bounds.append((low.name, high.name))
        return Test(operator, operands)

    def _check_function(self, name: str, operands: tuple[Operand, ...]) -> None:
        count = FUNCTIONS.get(name)
        if count is None:
            self._used.note("function", f"Invalid function name; function: {name}")
        elif count != len(operands):
            text = "Incorrect number of operands for operator or function; operator or function: "
            self._used.note("count", f"{text}{name}, number of operands: {len(operands)}")
        elif name.startswith("attribute_") and not isinstance(operands[0], Path):
            text = "Operator or function requires a document path; operator or function: "
            self._used.note("operand", text + name)
        elif name == "attribute_type":
            self._check_type_name(operands[1])
        elif name == "begins_with":
            for operand in operands:
                if isinstance(operand, Value) and operand.kind not in ("S", "B", None):
                    self._bad_type(name, operand.kind or "")
        elif name == "contains":
            self._check_distinct(name, *operands)
        elif isinstance(operands[0], Value) and operands[0].kind in ("N", "BOOL", "NULL"):
            self._bad_type(name, operands[0].kind or "")

    def _check_type_name(self, operand: Operand) -> None:
        if isinstance(operand, Value) and operand.kind == "S":
            self.type_names.append(operand.name)
        elif not isinstance(operand, Value) or operand.kind is not None:
            kind = operand.kind if isinstance(operand, Value) else "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}"
            self._bad_type("attribute_type", str(kind))

    def _check_distinct(self, operator: str, first: Operand, *others: Operand) -> None:
        if isinstance(first, Path) and first in others:
            text = "The first operand must be distinct from the remaining operands for this operator or function; "
            self._used.note("operand", f"{text}operator: {operator}, first operand: {first}")

    def _bad_type(self, operator: str, kind: str) -> None:
        text = "Incorrect operand type for operator or function; operator or function: "
        self._used.note("operand", f"{text}{operator}, operand type: {kind}")

    def _misused(self, name: str) -> None:
        text = "The function is not allowed to be used this way in an expression; function: "
        self._used.note("misused", text + name)
