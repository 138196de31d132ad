"""The difference of two snapshots: resources that come, go, change, or are replaced by another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from local.preview.snapshot import Resource
from local.provider.changes import REPLACING, change_of


class Kind(StrEnum):
    """What happens to a resource, worst first."""

    REPLACED = "replaced"
    REMOVED = "removed"
    CHANGED = "changed"
    ADDED = "added"


class Value(NamedTuple):
    """One value that differs. ``path`` is dotted; None: it isn't there."""

    path: str
    old: Any
    new: Any
    replaces: bool = False


class Change(NamedTuple):
    """What happens to one resource. ``values``: of changed and replaced ones; ``old``: what is declared today."""

    kind: Kind
    type: str
    name: str
    values: Sequence[Value] = ()
    old: Mapping[str, Any] | None = None


def difference(old: Sequence[Resource], new: Sequence[Resource]) -> list[Change]:
    """Worst first, then by type and name; nothing for what stays as it is."""
    before = {(one.type, one.name): one.props for one in old}
    after = {(one.type, one.name): one.props for one in new}
    changes = [Change(Kind.REMOVED, *key, old=before[key]) for key in before.keys() - after.keys()]
    changes += [Change(Kind.ADDED, *key) for key in after.keys() - before.keys()]
    for key in before.keys() & after.keys():
        if before[key] != after[key]:
            changes.append(_changed(*key, before[key], after[key]))
    return sorted(changes, key=lambda one: (list(Kind).index(one.kind), one.type, one.name))


def _changed(type_: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change:
    replacing = change_of(type_, old, new, frozenset()).replacing if type_ in REPLACING else []
    values = [
        value._replace(replaces=value.path.partition(".")[0].partition("[")[0] in replacing)
        for value in _values("", old, new)
    ]
    return Change(Kind.REPLACED if replacing else Kind.CHANGED, type_, name, values, old)


def _values(path: str, old: Any, new: Any) -> Iterator[Value]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _values(f"{path}.{key}" if path else key, old.get(key), new.get(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _values(f"{path}[{index}]", one, other)
    elif isinstance(old, list) and isinstance(new, list):
        # One by one: of a list as a whole nobody saw which statement of a policy it is.
        yield from (Value(f"{path}[]", one, None) for one in old if one not in new)
        yield from (Value(f"{path}[]", None, one) for one in new if one not in old)
    elif old != new:
        yield Value(path, old, new)
