"""YAML as the Pulumi CLI reads it, and nothing that it would read in another way.

The CLI reads with ``gopkg.in/yaml.v3``, which follows YAML 1.2 where PyYAML follows 1.1: ``yes`` and ``on`` are texts
there, ``1:30`` is no number, and a key that stands twice is an error (yaml.v3, README "Compatibility", ``resolve.go``
and "mapping key already defined" in ``decode.go``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # comes with pulumi

from local.deploy.errors import DeployError

_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """``SafeLoader`` with the scalars of yaml.v3, and keys that are texts and stand once."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if node.tag not in _TAGS:
            known = ", ".join(sorted(one.removeprefix(_CORE) for one in _TAGS - {_MERGE, _TIMESTAMP}))
            raise _Refused(f"{_line(node)}: the tag {_shown_tag(node.tag)} is not allowed; expected one of {known}")
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError):
            # ``int`` reads no more than 4,300 digits, and PyYAML's constructors take what a tag names on trust.
            text = str(node.value)
            shown = text if len(text) <= 40 else f"{text[:40]}... ({len(text)} characters)"
            raise _Refused(f"{_line(node)}: {shown!r} can't be read as {_shown_tag(node.tag)}") from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            if key.tag == _MERGE:
                continue
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise _Refused(f"line {line}: a key that is no text; write it in quotes")
            if key.value in seen:
                raise _Refused(f"the key {key.value!r} stands twice, in line {seen[key.value]} and line {line}")
            seen[key.value] = line
        made: dict[Any, Any] = super().construct_mapping(node, deep)
        return made


class _Refused(Exception):
    """What is wrong with the text; the caller knows the file."""


def _no_timestamp(loader: _Loader, node: yaml.ScalarNode) -> None:
    raise _Refused(f"line {node.start_mark.line + 1}: {node.value} is read as a date; write it in quotes")


for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*)", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+0123456789.")),
    ("timestamp", r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?", list("0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _no_timestamp)


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping in a file; an empty file is an empty one. A byte order mark is dropped, as the CLI drops it.

    Raises:
        DeployError: it can't be read or is no mapping; names the file and, for a key that stands twice, the key.
    """
    try:
        parsed = yaml.load(path.read_bytes().decode("utf-8-sig"), _Loader)  # a SafeLoader
    except _Refused as refused:
        raise DeployError(f"{path.name}: {refused}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DeployError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise DeployError(f"{path.name} must hold a mapping")
    return parsed
