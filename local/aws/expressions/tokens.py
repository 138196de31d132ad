"""Splits expressions into words, placeholders and signs, and reads paths and values from them.

Error messages are the service's own, taken from the tests of github.com/architect/dynalite and
github.com/nubo-db/dynamodb-conformance.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

Step = str | int
Steps = tuple[Step, ...]

_TOKEN = re.compile(r"[A-Za-z_]\w*|[#:]\w+|0|[1-9][0-9]*|<>|<=|>=|[=<>()\[\].,+-]", re.ASCII)
_SPACE = re.compile(r"[ \t\r\n\f]*")
#: Keywords of conditions and of updates, which can't be attribute names.
CONDITION_WORDS = frozenset({"AND", "OR", "NOT", "BETWEEN", "IN"})
UPDATE_WORDS = frozenset({"SET", "REMOVE", "ADD", "DELETE"})


class ExpressionError(Exception):
    """An invalid expression: DynamoDB's message without the prefix that names the parameter."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and its position."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """The position after it."""
        return self.start + len(self.text)


@dataclass(frozen=True, slots=True)
class Path:
    """An attribute, or a path into it; placeholders are resolved."""

    steps: Steps

    def __str__(self) -> str:
        return f"[{', '.join(f'[{step}]' if isinstance(step, int) else step for step in self.steps)}]"


@dataclass(frozen=True, slots=True)
class Value:
    """A placeholder of a value, and the value's type (None: undefined)."""

    name: str
    kind: str | None


@dataclass
class Used:
    """What an expression uses, and its errors apart from syntax errors, the first of each kind.

    ``names`` and ``values`` are placeholders; ``attributes`` are top-level attributes of the item.
    """

    names: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    wrong: dict[str, str] = field(default_factory=dict)

    def note(self, sort: str, text: str) -> None:
        """Record an error; only the first of its kind is kept."""
        self.wrong.setdefault(sort, text)

    def raise_first(self, *sorts: str) -> None:
        """Raises ExpressionError: an error of one of these kinds was recorded."""
        for sort in sorts:
            if sort in self.wrong:
                raise ExpressionError(self.wrong[sort])


class Reader:
    """Reads an expression. ``types``: defined value to its type."""

    def __init__(
        self, text: str, names: Mapping[str, str], types: Mapping[str, str], words: frozenset[str] = frozenset()
    ) -> None:
        self._text = text
        self._names = names
        self._types = types
        self._words = words
        self._reserved = ReservedKeywords.get_reserved_keywords()
        self.used = Used()
        self.position = 0
        if not text.strip():
            raise ExpressionError("The expression can not be empty;")
        self.tokens = self._tokens()
        if _has_redundant_parentheses(self.tokens):
            self.used.note("parentheses", "The expression has redundant parentheses;")

    def _tokens(self) -> list[Token]:
        found: list[Token] = []
        at = _SPACE.match(self._text).end()  # type: ignore[union-attr]  # it matches everywhere
        while at < len(self._text):
            match = _TOKEN.match(self._text, at)
            if match is None:
                bad = Token(self._text[at], at)
                raise self._syntax_error([*found[-1:], bad, Token(self._text[at + 1 : at + 2], at + 1)], bad)
            found.append(Token(match[0], at))
            at = _SPACE.match(self._text, match.end()).end()  # type: ignore[union-attr]
        return found

    # -- tokens -------------------------------------------------------------------------------------

    def peek(self, ahead: int = 0) -> str:
        """The next token; "" at the end."""
        index = self.position + ahead
        return self.tokens[index].text if index < len(self.tokens) else ""

    def is_word(self, word: str) -> bool:
        """Whether the next token is this keyword."""
        return self.peek().upper() == word

    def take(self) -> str:
        """Consume the next token."""
        text = self.peek()
        self.position += 1
        return text

    def expect(self, text: str) -> None:
        """Consume this token. Raises ExpressionError: the next token is another one."""
        if self.peek() != text:
            raise self.unexpected()
        self.position += 1

    def expect_end(self) -> None:
        """Raises ExpressionError: tokens are left."""
        if self.position < len(self.tokens):
            raise self.unexpected()

    def unexpected(self) -> ExpressionError:
        """The error that the next token isn't allowed here."""
        index = min(self.position, len(self.tokens))
        if index == len(self.tokens):
            return self._syntax_error(self.tokens[-1:], Token("<EOF>", len(self._text)))
        return self._syntax_error(self.tokens[max(index - 1, 0) : index + 2], self.tokens[index])

    def _syntax_error(self, around: list[Token], token: Token) -> ExpressionError:
        near = self._text[around[0].start : around[-1].end] if around else ""
        return ExpressionError(f'Syntax error; token: "{token.text}", near: "{near}"')

    # -- reading ------------------------------------------------------------------------------------

    def value(self) -> Value:
        """Read a value's placeholder."""
        if not self.peek().startswith(":"):
            raise self.unexpected()
        name = self.take()
        self.used.values.add(name)
        if name not in self._types:
            text = f"An expression attribute value used in expression is not defined; attribute value: {name}"
            self.used.note("undefined", text)
        return Value(name, self._types.get(name))

    def path(self) -> Path:
        """Read a document path."""
        steps: list[Step] = [self._name()]
        self.used.attributes.add(str(steps[0]))
        while self.peek() in (".", "["):
            if self.take() == ".":
                steps.append(self._name())
                continue
            if not self.peek().isdigit():
                raise self.unexpected()
            steps.append(int(self.take()))
            self.expect("]")
        return Path(tuple(steps))

    def is_function(self) -> bool:
        """Whether a function's name is next."""
        return self.peek(1) == "(" and self._is_identifier(self.peek())

    def _name(self) -> str:
        text = self.peek()
        if text.startswith("#"):
            self.take()
            self.used.names.add(text)
            if text not in self._names:
                what = "An expression attribute name used in the document path is not defined; attribute name: "
                self.used.note("undefined", what + text)
            return self._names.get(text, text)
        if not self._is_identifier(text):
            raise self.unexpected()
        self.take()
        if text.upper() in self._reserved:
            self.used.note("reserved", f"Attribute name is a reserved keyword; reserved keyword: {text}")
        return text

    def _is_identifier(self, text: str) -> bool:
        return (text[:1].isalpha() or text[:1] == "_") and text.upper() not in self._words


def _has_redundant_parentheses(tokens: list[Token]) -> bool:
    """Whether a pair of parentheses contains only another pair."""
    opened: list[int] = []
    partner: dict[int, int] = {}
    for index, token in enumerate(tokens):
        if token.text == "(":
            opened.append(index)
        elif token.text == ")" and opened:
            partner[opened.pop()] = index
    return any(partner.get(start + 1) == end - 1 for start, end in partner.items())
