"""Parser of intrinsic functions (such as ``States.Format``).

Source: Developer Guide, "Intrinsic functions for JSONPath states in Step Functions", and the Amazon
States Language specification, "Intrinsic Functions".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local.states.data.intrinsic_functions import FUNCTIONS, IntrinsicError, Literal
from local.states.data.paths import PathSyntaxError, parse_path
from local.states.data.scope import Scope
from local.states.errors import INTRINSIC_FAILURE, StatesError

Expression = Callable[[Scope], Any]

#: Maximum nesting of calls in a field.
NESTING_LIMIT = 10

_NAME = re.compile(r"States\.[A-Za-z0-9]+")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}


class IntrinsicSyntaxError(ValueError):
    """The text isn't a valid call; the message names it."""


class UnknownIntrinsic(IntrinsicSyntaxError):
    """The function isn't supported."""


def is_intrinsic(text: str) -> bool:
    """Whether the value of a ``.$`` field is a call instead of a path."""
    return text.lstrip().startswith("States.")


def parse_intrinsic(text: str) -> Expression:
    """Parse a call into a function of the scope.

    Raises:
        UnknownIntrinsic: the function isn't supported.
        IntrinsicSyntaxError: the text isn't a valid call.
    """
    parser = _Parser(text)
    expression = parser.call(depth=1)
    parser.space()
    if parser.position != len(text):
        raise IntrinsicSyntaxError(f"{text!r} has an unexpected character at {parser.position}")
    return expression


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def space(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def call(self, depth: int) -> Expression:
        if depth > NESTING_LIMIT:
            raise IntrinsicSyntaxError(f"{self.text!r} nests more than {NESTING_LIMIT} intrinsic functions")
        self.space()
        match = _NAME.match(self.text, self.position)
        if match is None:
            raise IntrinsicSyntaxError(f"{self.text!r} has no intrinsic function at {self.position}")
        name = match.group()
        function = FUNCTIONS.get(name)
        if function is None:
            raise UnknownIntrinsic(f"the intrinsic function {name} is not supported")
        self.position = match.end()
        arguments = self.arguments(depth)

        def evaluate(scope: Scope) -> Any:
            values = [argument(scope) for argument in arguments]
            try:
                return function(scope.random, *values)
            except (IntrinsicError, TypeError) as error:
                # TypeError: the wrong number of arguments
                raise StatesError(INTRINSIC_FAILURE, f"{self.text}: {error}") from error

        return evaluate

    def arguments(self, depth: int) -> list[Expression]:
        self.expect("(")
        arguments: list[Expression] = []
        self.space()
        if self.peek() == ")":
            self.position += 1
            return arguments
        while True:
            arguments.append(self.argument(depth))
            self.space()
            if self.peek() == ",":
                self.position += 1
                continue
            self.expect(")")
            return arguments

    def argument(self, depth: int) -> Expression:
        self.space()
        character = self.peek()
        if character == "'":
            literal = self.string()
            return lambda scope: literal
        if character == "$":
            return self.path()
        if self.text.startswith("States.", self.position):
            return self.call(depth + 1)
        if number := _NUMBER.match(self.text, self.position):
            self.position = number.end()
            text = number.group()
            value = int(text) if text.lstrip("-").isdigit() else float(text)
            return lambda scope: value
        for word, constant in _WORDS.items():
            if self.text.startswith(word, self.position):
                self.position += len(word)
                return lambda scope, constant=constant: constant  # type: ignore[misc]
        raise IntrinsicSyntaxError(f"{self.text!r} has no argument at {self.position}")

    def string(self) -> Literal:
        parts: list[str] = []
        self.position += 1
        while True:
            character = self.peek()
            if character == "'":
                self.position += 1
                return Literal("".join(parts))
            if character == "\\":
                escaped = self.text[self.position + 1 : self.position + 2]
                if escaped not in ("'", "{", "}", "\\"):
                    raise IntrinsicSyntaxError(f"{self.text!r} has an open backslash at {self.position}")
                parts.append("\\" + escaped)
                self.position += 2
            else:
                parts.append(character)
                self.position += 1

    def path(self) -> Expression:
        start = self.position
        quote, depth = "", 0
        while self.position < len(self.text):
            character = self.text[self.position]
            if quote:
                quote = "" if character == quote else quote
            elif character in "'\"" and depth:
                quote = character
            elif character == "[":
                depth += 1
            elif character == "]":
                depth -= 1
            elif character in ",)" and not depth:
                break
            self.position += 1
        text = self.text[start : self.position].strip()
        try:
            path = parse_path(text)
        except PathSyntaxError as error:
            raise IntrinsicSyntaxError(str(error)) from error
        return lambda scope: scope.find(path)

    def peek(self) -> str:
        if self.position >= len(self.text):
            raise IntrinsicSyntaxError(f"{self.text!r} ends too early")
        return self.text[self.position]

    def expect(self, character: str) -> None:
        self.space()
        if self.peek() != character:
            raise IntrinsicSyntaxError(f"{self.text!r} has no {character!r} at {self.position}")
        self.position += 1
