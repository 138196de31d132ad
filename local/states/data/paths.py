"""JSONPath in Step Functions: paths for reading, and reference paths for writing.

The supported subset: ``$`` and ``$$``, ``.name``, ``['name']``, ``[n]`` (negative: from the end), ``[n,m]``, slices,
``*`` and ``..``. Filters, unions of names and functions are refused by name. A path of names and single indexes is
*definite*: it yields one value, and a missing one is an error. Other paths yield a list of the values found, which is
empty if a parent is missing (captured: tests/fixtures/asl).

Sources: Amazon States Language specification, "Paths" and "Reference Paths"; Developer Guide, "Using
JSONPath paths".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from local.states.errors import RESULT_PATH_MATCH_FAILURE, StatesError

_NAME = re.compile(r"[^\s.\[\]()?@,*'\"]+")
_QUOTED = re.compile(r"""\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]""")
_INDEX = re.compile(r"\[\s*(-?\d+)\s*\]")
_SLICE = re.compile(r"\[\s*(-?\d+)?\s*:\s*(-?\d+)?\s*\]")
_INDEXES = re.compile(r"\[\s*(-?\d+(?:\s*,\s*-?\d+)+)\s*\]")
_ANY = re.compile(r"\[\s*\*\s*\]")


class PathSyntaxError(ValueError):
    """The text isn't a path of the supported subset; the message says why."""


class PathNotFound(LookupError):
    """A definite path has no value in the data. ``reason``: AWS's message."""

    def __init__(self, path: Path, position: int) -> None:
        super().__init__(path.text)
        way = "".join(f"['{step}']" if isinstance(step, str) else f"[{step}]" for step in path.steps[: position + 1])
        leaf = position + 1 == len(path.steps)
        self.reason = f"No results for path: ${way}" if leaf else f"Missing property in path ${way}"


@dataclass(frozen=True)
class _Wildcard:
    """``*``: every element or member value."""


@dataclass(frozen=True)
class _Descent:
    """``..``: the node and everything below it."""


#: A tuple is ``[n,m]``.
Step = str | int | slice | tuple[int, ...] | _Wildcard | _Descent


@dataclass(frozen=True)
class Path:
    """A parsed path. ``context``: whether it starts at the context object (``$$``) instead of the input."""

    text: str
    context: bool
    steps: tuple[Step, ...]
    definite: bool

    def find(self, root: Any) -> Any:
        """The value at this path: one value if definite, else a list.

        Raises:
            PathNotFound: a definite path has no value.
        """
        node = root
        for position, step in enumerate(self.steps):
            if type(step) is str:
                if not isinstance(node, dict) or step not in node:
                    return self._nothing(position)
                node = node[step]
            elif type(step) is int:
                if not isinstance(node, list) or not -len(node) <= step < len(node):
                    return self._nothing(position)
                node = node[step]
            else:
                return _find_all([node], self.steps[position:])
        return node

    def _nothing(self, position: int) -> list[Any]:
        if self.definite:
            raise PathNotFound(self, position)
        return []

    def exists(self, root: Any) -> bool:
        """Whether the path has a value; an indefinite one: at least one."""
        try:
            found = self.find(root)
        except PathNotFound:
            return False
        return self.definite or bool(found)

    def put(self, root: Any, value: Any) -> Any:
        """A copy of ``root`` with ``value`` at this reference path; missing objects on the path are created.

        Only the containers on the path are copied. ASL specification, "ResultPath".

        Raises:
            StatesError: ``States.ResultPathMatchFailure``: the path can't be applied, for example a field of an array.
        """
        return self._put(root, 0, value)

    def _put(self, node: Any, position: int, value: Any) -> Any:
        if position == len(self.steps):
            return value
        step = self.steps[position]
        if isinstance(step, str) and isinstance(node, dict):
            return {**node, step: self._put(node.get(step, {}), position + 1, value)}
        if isinstance(step, int) and isinstance(node, list) and 0 <= step < len(node):
            copy = list(node)
            copy[step] = self._put(node[step], position + 1, value)
            return copy
        raise StatesError(
            RESULT_PATH_MATCH_FAILURE,
            f"Unable to apply step {step!r} of ReferencePath {self.text} to {_describe(node)}",
        )


ROOT = Path("$", context=False, steps=(), definite=True)


@lru_cache(maxsize=4096)
def parse_path(text: str) -> Path:
    """Parse a path.

    Raises:
        PathSyntaxError: it isn't a path, or uses a filter, a union of names or a function.
    """
    if not text.startswith("$"):
        raise PathSyntaxError(f"path {text!r} must start with '$' or '$$'")
    context = text.startswith("$$")
    position = 2 if context else 1
    steps: list[Step] = []
    definite = True
    while position < len(text):
        step, position = _parse_step(text, position)
        steps.append(step)
        definite = definite and isinstance(step, str | int)
    if steps and isinstance(steps[-1], _Descent):
        raise PathSyntaxError(f"path {text!r} ends in '..'")
    return Path(text, context, tuple(steps), definite)


def parse_reference_path(text: str) -> Path:
    """Parse a path that must identify exactly one node of the data (ASL specification, "Reference Paths").

    Raises:
        PathSyntaxError: it isn't a path, may identify several nodes, or is in the context object.
    """
    path = parse_path(text)
    if path.context:
        raise PathSyntaxError(f"path {text!r} must not be in the context object ('$$')")
    if not path.definite or any(isinstance(step, int) and step < 0 for step in path.steps):
        raise PathSyntaxError(f"path {text!r} must be a reference path: fields and array indexes only")
    return path


def _parse_step(text: str, position: int) -> tuple[Step, int]:
    if text.startswith("..", position):
        after = position + 2
        if after < len(text) and text[after] not in "[*" and not _NAME.match(text, after):
            raise PathSyntaxError(f"path {text!r} has an unexpected character at {after}")
        # the following name or bracket is a separate step
        return _Descent(), after
    if text[position] == "." or (position >= 2 and text[position - 2 : position] == ".."):
        start = position + 1 if text[position] == "." else position
        if text.startswith("*", start):
            return _Wildcard(), start + 1
        if text[position] == "." or text[start] != "[":
            name = _NAME.match(text, start)
            if name is None:
                raise PathSyntaxError(f"path {text!r} has no name at {start}")
            if text.startswith("(", name.end()):
                raise PathSyntaxError(f"path {text!r}: the path function {name.group()}() is not supported")
            return name.group(), name.end()
    return _parse_bracket(text, position)


def _parse_bracket(text: str, position: int) -> tuple[Step, int]:
    if match := _QUOTED.match(text, position):
        quote, name = ("'", match.group(1)) if match.group(1) is not None else ('"', match.group(2))
        return re.sub(rf"\\([{quote}\\])", r"\1", name), match.end()
    if match := _INDEX.match(text, position):
        return int(match.group(1)), match.end()
    if match := _SLICE.match(text, position):
        first, last = match.groups()
        return slice(int(first) if first else None, int(last) if last else None), match.end()
    if match := _INDEXES.match(text, position):
        return tuple(int(index) for index in match.group(1).split(",")), match.end()
    if match := _ANY.match(text, position):
        return _Wildcard(), match.end()
    rest = text[position:]
    if rest.startswith(("[?", "[(")):
        raise PathSyntaxError(f"path {text!r}: filter expressions ({rest[:2]}...) are not supported")
    if rest.startswith("[") and "," in rest:
        raise PathSyntaxError(f"path {text!r}: unions of names ([a,b]) are not supported")
    raise PathSyntaxError(f"path {text!r} has an unexpected character at {position}")


def _find_all(nodes: list[Any], steps: tuple[Step, ...]) -> list[Any]:
    for step in steps:
        nodes = [found for node in nodes for found in _apply(node, step)]
    return nodes


def _apply(node: Any, step: Step) -> Iterator[Any]:
    if isinstance(step, str):
        if isinstance(node, dict) and step in node:
            yield node[step]
    elif isinstance(step, int):
        if isinstance(node, list) and -len(node) <= step < len(node):
            yield node[step]
    elif isinstance(step, tuple):
        for index in step:
            yield from _apply(node, index)
    elif isinstance(step, slice):
        if isinstance(node, list):
            yield from node[step]
    elif isinstance(step, _Wildcard):
        yield from _children(node)
    else:
        yield from _descend(node)


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def _descend(node: Any) -> Iterator[Any]:
    yield node
    for child in _children(node):
        yield from _descend(child)


def _describe(node: Any) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(node), "a number")
