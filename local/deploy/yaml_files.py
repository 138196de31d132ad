"""Reads YAML like the Pulumi CLI, and refuses everything that the CLI would read differently.

The CLI uses ``gopkg.in/yaml.v3``, which follows YAML 1.2 where PyYAML follows 1.1: ``yes`` and ``on`` are strings,
``1:30`` isn't a number, and a duplicate key is an error (yaml.v3, README "Compatibility", ``resolve.go`` and "mapping
key already defined" in ``decode.go``).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml  # comes with pulumi

from local.deploy.errors import DeployError

#: Maximum size of all expanded aliases of a file, in characters; far more than a stack's file needs. The CLI, too,
#: refuses excessive aliases (yaml.v3, ``decode.go``, "document contains excessive aliasing").
MOST_ALIASED = 1_000_000
_CORE = "tag:yaml.org,2002:"
_MERGE = f"{_CORE}merge"
_TIMESTAMP = f"{_CORE}timestamp"
#: The types of JSON, which is what the engine passes on (YAML 1.2.2, chapter 10.3, "Core Schema").
_KINDS = ("str", "int", "float", "bool", "null", "map", "seq")
_TAGS = {_TIMESTAMP, *(f"{_CORE}{kind}" for kind in _KINDS)}


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """``SafeLoader`` with the scalars of yaml.v3, unique string keys, and only values that JSON supports."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        #: Size of each node with its aliases expanded, and of all expanded aliases.
        self._sizes: dict[yaml.Node, int] = {}
        self._aliased = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:
        alias = self.peek_event() if self.check_event(yaml.AliasEvent) else None
        node = super().compose_node(parent, index)
        if alias is None:
            self._sizes[node] = _own_size(node) + sum(self._sizes[part] for part in _parts(node))
        elif node.end_mark is None:  # a node gets its end mark when it is complete
            raise _Refused(f"{_line(alias)}: *{alias.anchor} is inside the value that it refers to")
        else:
            self._aliased += self._sizes[node]
            if self._aliased > MOST_ALIASED:
                raise _Refused(
                    f"{_line(alias)}: *{alias.anchor} and the aliases before it expand to more than {MOST_ALIASED:,} "
                    "characters; write fewer"
                )
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        kind = node.tag.removeprefix(_CORE)
        if node.tag not in _TAGS:
            raise _Refused(f"{_line(node)}: the tag {kind!r} is not allowed; expected one of {', '.join(_KINDS)}")
        try:
            made = super().construct_object(node, deep)
        except (ValueError, OverflowError, LookupError):
            # A value that doesn't match its tag (``!!int abc``), or more digits than Python reads.
            raise _Refused(_unreadable(node, kind)) from None
        if isinstance(made, float) and not math.isfinite(made):
            raise _Refused(_unreadable(node, kind))
        return made

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, str] = {}
        for key, _ in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_CORE}str":
                raise _Refused(f"{_line(key)}: a key that is not a string; write it in quotes")
            if key.value in seen:
                raise _Refused(f"the key {key.value!r} occurs twice, in {seen[key.value]} and {_line(key)}")
            seen[key.value] = _line(key)
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


def _own_size(node: yaml.Node) -> int:
    return 1 + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)


def _parts(node: yaml.Node) -> Iterable[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return itertools.chain.from_iterable(node.value)
    return node.value if isinstance(node, yaml.SequenceNode) else ()


class _Refused(Exception):
    """An error in the text; the caller adds the file."""


def _line(at: yaml.Node | yaml.Event) -> str:
    return f"line {at.start_mark.line + 1}"


def _unreadable(node: yaml.Node, kind: str) -> str:
    text = str(node.value)
    shown = repr(text) if len(text) <= 40 else f"{text[:40]!r}... ({len(text)} characters)"
    return f"{_line(node)}: {shown} can't be read as {kind}"


def _no_timestamp(loader: _Loader, node: yaml.ScalarNode) -> None:
    raise _Refused(f"{_line(node)}: {node.value} is read as a date; write it in quotes")


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    (
        "int",
        r"[-+]?(0b_*[01][01_]*|0o_*[0-7][0-7_]*|0[0-7_]+|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0|[1-9][0-9_]*)",
        list("-+0123456789"),
    ),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+0123456789.")),
    ("timestamp", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?", list("0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"{_CORE}{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)
_Loader.add_constructor(_TIMESTAMP, _no_timestamp)


@lru_cache(maxsize=16)
def _loaded(text: str) -> Any:
    """The value of a text; cached, since each deployment of a process reads the same two files."""
    return yaml.load(text, _Loader)  # a SafeLoader


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a file; empty for an empty file. A byte order mark is ignored, as by the CLI.

    Raises:
        DeployError: it can't be read or isn't a mapping; names the file and, for a duplicate key, the key.
    """
    try:
        parsed = deepcopy(_loaded(path.read_bytes().decode("utf-8-sig")))
    except _Refused as refused:
        raise DeployError(f"{path.name}: {refused}") from None
    except RecursionError:
        raise DeployError(f"{path.name}: its lists and mappings are nested too deeply") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeployError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise DeployError(f"{path.name} must hold a mapping")
    return parsed
