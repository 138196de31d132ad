"""Fills the ``${Placeholders}`` of a definition, structurally: parsed first, so no value can break the document."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

import pulumi

#: ``$${`` stands for a literal ``${``.
_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([A-Za-z][A-Za-z0-9]*)\}")


class SubstitutionError(Exception):
    """A placeholder has no value, a value no placeholder, or an override no number to replace."""


def placeholders(document: Any) -> set[str]:
    """The names of all placeholders in the string leaves."""
    if isinstance(document, str):
        return {match[1] for match in _PLACEHOLDER.finditer(document) if match[1]}
    children = document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    return set().union(*(placeholders(child) for child in children))


def substitute(document: Any, values: Mapping[str, pulumi.Input[str]]) -> Any:
    """A copy with every placeholder replaced; leaves with placeholders become Outputs.

    Raises:
        SubstitutionError: naming the placeholder that is unknown, or the value that is not used.
    """
    wanted = placeholders(document)
    for name in sorted(wanted - set(values)):
        raise SubstitutionError(f"placeholder ${{{name}}} has no value; known: {', '.join(sorted(values)) or 'none'}")
    for name in sorted(set(values) - wanted):
        raise SubstitutionError(f"value {name!r} has no placeholder ${{{name}}} in the definition")
    return _filled(document, values)


def override(document: dict[str, Any], numbers: Mapping[str, int]) -> dict[str, Any]:
    """A copy with numbers replaced, by JSON pointer; each must replace a number.

    Raises:
        SubstitutionError: naming the pointer.
    """
    changed = copy.deepcopy(document)
    for pointer, number in numbers.items():
        *parents, last = pointer.lstrip("/").split("/")
        node: Any = changed
        for step in parents:
            node = node.get(step) if isinstance(node, dict) else None
        if not isinstance(node, dict) or not isinstance(node.get(last), int):
            raise SubstitutionError(f"{pointer} is not a number in the definition")
        node[last] = number
    return changed


def _filled(document: Any, values: Mapping[str, pulumi.Input[str]]) -> Any:
    if isinstance(document, dict):
        return {key: _filled(value, values) for key, value in document.items()}
    if isinstance(document, list):
        return [_filled(value, values) for value in document]
    if not isinstance(document, str) or not _PLACEHOLDER.search(document):
        return document
    parts: list[pulumi.Input[str]] = []
    end = 0
    for match in _PLACEHOLDER.finditer(document):
        parts += [document[end : match.start()], values[match[1]] if match[1] else "${"]
        end = match.end()
    return pulumi.Output.concat(*parts, document[end:])
