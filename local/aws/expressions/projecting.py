"""The parts of an item that paths name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.aws.expressions.tokens import Path, Step

#: The requested parts below a step; None: all.
_Tree = dict[Step, Any]


def projected(attributes: Mapping[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """The parts, in DynamoDB's JSON, with the maps and lists that contain them; missing parts are left out."""
    tree: _Tree = {}
    for path in paths:
        node = tree
        for step in path.steps[:-1]:
            node = node.setdefault(step, {})
        node[path.steps[-1]] = None
    return _entries(attributes, tree)


def _entries(attributes: Mapping[str, Any], tree: _Tree) -> dict[str, Any]:
    found = {
        str(name): _part(attributes[name], below)
        for name, below in tree.items()
        if isinstance(name, str) and name in attributes
    }
    return {name: part for name, part in found.items() if part is not None}


def _part(value: Mapping[str, Any], tree: _Tree | None) -> Any:
    if tree is None:
        return value
    ((kind, content),) = value.items()
    if kind == "M":
        entries = _entries(content, tree)
        return {"M": entries} if entries else None
    if kind != "L":
        return None
    steps = sorted(step for step in tree if isinstance(step, int) and step < len(content))
    parts = [part for part in (_part(content[step], tree[step]) for step in steps) if part is not None]
    return {"L": parts} if parts else None
