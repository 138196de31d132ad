"""Evaluates the UpdateExpressions that ``handlers/store`` writes, without moto's tree of nodes.

moto copies the expression's tree for every update and traverses it eleven times, which took 40 % of the time of an
import. Supported are SET of values and of ``if_not_exists``, ADD of numbers and REMOVE, all with placeholders.
Everything else, and every request that may be invalid, is left to moto; where both give a result, it is the same
(``tests/unit/local/aws/test_updates.py``).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from local.aws.tables.attribute_values import number_sum

#: In DynamoDB's JSON, with canonical numbers.
Attributes = dict[str, Any]
Steps = tuple[str, ...]

_PATH = r"#\w+(?:\.#\w+)*"
_SET = re.compile(rf"({_PATH}) = (?:(:\w+)|if_not_exists\(({_PATH}), (:\w+)\))", re.ASCII)
_ADD = re.compile(rf"({_PATH}) (:\w+)", re.ASCII)
_REMOVE = re.compile(_PATH, re.ASCII)
_CLAUSE = re.compile(r"(SET|ADD|REMOVE) ")


@dataclass(frozen=True, slots=True)
class _Action:
    """``steps``: the path's placeholders; ``unless``: those of the path of ``if_not_exists``."""

    kind: str
    steps: Steps
    value: str = ""
    unless: Steps = ()


def updated(
    expression: str,
    attributes: Mapping[str, Any],
    names: Mapping[str, str] | None,
    values: Mapping[str, Any] | None,
    keys: Collection[str],
) -> Attributes | None:
    """The attributes after an update, in DynamoDB's JSON; the given ones aren't modified.

    None: this expression or item is left to moto. ``keys``: the attributes of the table's key.
    """
    actions = _actions(expression)
    if actions is None:
        return None
    try:
        paths = [tuple((names or {})[step] for step in action.steps) for action in actions]
        if _overlap(paths) or any(path[0] in keys for path in paths):
            return None
        new = dict(attributes)
        for action, path in zip(actions, paths, strict=True):
            _apply(new, attributes, action, path, names or {}, values or {})
    except (KeyError, _NotHere):
        return None
    return new


_ZERO = {"N": "0"}


class _NotHere(Exception):
    """Left to moto."""


def _apply(
    new: Attributes,
    old: Mapping[str, Any],
    action: _Action,
    path: Steps,
    names: Mapping[str, str],
    values: Mapping[str, Any],
) -> None:
    if action.kind == "REMOVE":
        _parent(new, path).pop(path[-1], None)
        return
    if action.kind == "ADD":
        added, parent = values[action.value], _parent(new, path)
        present = parent.get(path[-1], _ZERO)
        if "N" not in added or "N" not in present:
            raise _NotHere
        parent[path[-1]] = {"N": number_sum(present["N"], added["N"])}
        return
    value = _found(old, tuple(names[step] for step in action.unless)) if action.unless else None
    _parent(new, path)[path[-1]] = value if value is not None else values[action.value]


def _parent(new: Attributes, path: Steps) -> dict[str, Any]:
    """The map that contains the path's last step; maps on the path are copied, since they are shared."""
    parent: dict[str, Any] = new
    for step in path[:-1]:
        inner = parent.get(step)
        if inner is None or "M" not in inner:
            raise _NotHere
        copied = dict(inner["M"])
        parent[step] = {"M": copied}
        parent = copied
    return parent


def _found(attributes: Mapping[str, Any], path: Steps) -> Any:
    """The value at a path; None if its last step is absent."""
    parent = attributes
    for step in path[:-1]:
        inner = parent.get(step)
        if inner is None or "M" not in inner:
            raise _NotHere
        parent = inner["M"]
    return parent.get(path[-1])


def _overlap(paths: list[Steps]) -> bool:
    """Whether one path equals or contains another."""
    ordered = sorted(paths)
    return any(after[: len(before)] == before for before, after in itertools.pairwise(ordered))


@lru_cache(maxsize=512)
def _actions(expression: str) -> tuple[_Action, ...] | None:
    """The actions of an expression, in its order; None: it has unsupported ones."""
    _, *parts = _CLAUSE.split(expression)
    kinds, texts = parts[::2], parts[1::2]
    if not kinds or len(set(kinds)) != len(kinds) or not expression.startswith(kinds[0]):
        return None
    found: list[_Action] = []
    for kind, text in zip(kinds, texts, strict=True):
        rest = text.strip()
        while rest:
            match = {"SET": _SET, "ADD": _ADD, "REMOVE": _REMOVE}[kind].match(rest)
            if match is None:
                return None
            found.append(_action(kind, match))
            rest = rest[match.end() :]
            if rest and not rest.startswith(", "):
                return None
            rest = rest[2:]
    return tuple(found)


def _action(kind: str, match: re.Match[str]) -> _Action:
    if kind == "REMOVE":
        return _Action(kind, _steps(match[0]))
    if kind == "ADD":
        return _Action(kind, _steps(match[1]), match[2])
    return _Action(kind, _steps(match[1]), match[2] or match[4], _steps(match[3]) if match[3] else ())


def _steps(path: str) -> Steps:
    return tuple(path.split("."))
