"""Updates and projections: their grammar, overlapping paths, and the operands of operators and functions.

Developer Guide, "Using update expressions" and "Using projection expressions"; for error messages see ``tokens``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from local.aws.expressions.tokens import UPDATE_WORDS, Path, Reader, Used, Value

_OPERANDS = {"if_not_exists": 2, "list_append": 2}
_ADDED = frozenset({"N", "SS", "NS", "BS"})
_DELETED = frozenset({"SS", "NS", "BS"})
#: Names of types in the errors of ADD and DELETE.
_TYPES = {"S": "STRING", "N": "NUMBER", "B": "Binary", "L": "LIST", "M": "MAP"}
_SORTS = ("function", "section", "reserved", "undefined", "count", "overlap", "operand")


def examine_update(text: str, names: Mapping[str, str], types: Mapping[str, str]) -> tuple[Used, tuple[Path, ...]]:
    """An update's placeholders and the paths it changes. Raises ExpressionError: DynamoDB would refuse it."""
    parser = _Update(Reader(text, names, types, UPDATE_WORDS))
    parser.read()
    return parser.used, tuple(parser.paths)


def examine_projection(text: str, names: Mapping[str, str]) -> tuple[Used, tuple[Path, ...]]:
    """A projection's placeholders and paths. Raises ExpressionError: DynamoDB would refuse it."""
    reader = Reader(text, names, {})
    paths = [reader.path()]
    while reader.peek() == ",":
        reader.take()
        paths.append(reader.path())
    reader.expect_end()
    reader.used.raise_first("parentheses", "reserved", "undefined")
    _check_overlap(paths, reader.used)
    reader.used.raise_first("overlap")
    return reader.used, tuple(paths)


class _Update:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.used = reader.used
        self.used.wrong.pop("parentheses", None)  # only refused in conditions
        self.paths: list[Path] = []

    def read(self) -> None:
        reader, seen = self._reader, set[str]()
        while reader.peek():
            section = reader.peek().upper()
            if section not in UPDATE_WORDS:
                raise reader.unexpected()
            reader.take()
            if section in seen:
                text = f'The "{section}" section can only be used once in an update expression;'
                self.used.note("section", text)
            seen.add(section)
            self._action(section)
            while reader.peek() == ",":
                reader.take()
                self._action(section)
        _check_overlap(self.paths, self.used)
        self.used.raise_first(*_SORTS)

    def _action(self, section: str) -> None:
        reader = self._reader
        self.paths.append(reader.path())
        if section == "SET":
            reader.expect("=")
            self._sum()
        elif section in ("ADD", "DELETE"):
            value = reader.value()
            if value.kind is not None and value.kind not in (_ADDED if section == "ADD" else _DELETED):
                text = "Incorrect operand type for operator or function; operator: "
                kind = _TYPES.get(value.kind, value.kind)
                self.used.note("operand", f"{text}{section}, operand type: {kind}, typeSet: ALLOWED_FOR_ADD_OPERAND")

    def _sum(self) -> None:
        reader = self._reader
        left = self._operand()
        if reader.peek() in ("+", "-"):
            operator = reader.take()
            self._check_kind(operator, (left, self._operand()), "N")

    def _operand(self) -> Path | Value | None:
        """Read an operand; None: its type is only known with an item."""
        reader = self._reader
        if reader.peek() == "(":
            reader.take()
            self._sum()
            reader.expect(")")
            return None
        if reader.peek().startswith(":"):
            return reader.value()
        if not reader.is_function():
            return reader.path()
        name = reader.take()
        reader.expect("(")
        operands = [self._operand()]
        while reader.peek() == ",":
            reader.take()
            operands.append(self._operand())
        reader.expect(")")
        self._check_function(name, operands)
        return None

    def _check_function(self, name: str, operands: Sequence[Path | Value | None]) -> None:
        count = _OPERANDS.get(name)
        if count is None:
            self.used.note("function", f"Invalid function name; function: {name}")
        elif count != len(operands):
            text = "Incorrect number of operands for operator or function; operator or function: "
            self.used.note("count", f"{text}{name}, number of operands: {len(operands)}")
        elif name == "if_not_exists" and not isinstance(operands[0], Path):
            text = "Operator or function requires a document path; operator or function: "
            self.used.note("operand", text + name)
        elif name == "list_append":
            self._check_kind(name, operands, "L")

    def _check_kind(self, name: str, operands: Sequence[Path | Value | None], wanted: str) -> None:
        for operand in operands:
            if isinstance(operand, Value) and operand.kind not in (wanted, None):
                text = "Incorrect operand type for operator or function; operator or function: "
                self.used.note("operand", f"{text}{name}, operand type: {operand.kind}")


def _check_overlap(paths: Sequence[Path], used: Used) -> None:
    """Record an error if a path equals or contains another, or treats as a map what another treats as a list."""
    for number, path in enumerate(paths):
        for before in paths[:number]:
            for one, other in zip(before.steps, path.steps, strict=False):
                if type(one) is not type(other):
                    how = "conflict"
                    break
                if one != other:
                    how = ""
                    break
            else:
                how = "overlap"
            if how:
                text = f"Two document paths {how} with each other; must remove or rewrite one of these paths; "
                used.note("overlap", f"{text}path one: {before}, path two: {path}")
