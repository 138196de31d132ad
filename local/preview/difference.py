"""The difference between two snapshots: added, removed, changed and replaced resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from local.preview.snapshot import Resource
from local.provider.changes import REPLACING, change_of


class Kind(StrEnum):
    """Kinds of changes, worst first."""

    REPLACED = "replaced"
    REMOVED = "removed"
    CHANGED = "changed"
    ADDED = "added"


class Value(NamedTuple):
    """One value that differs. ``path`` is dotted; a value is None if it is absent."""

    path: str
    old: Any
    new: Any
    replaces: bool = False


class Change(NamedTuple):
    """The change of one resource. ``values``: for changed and replaced ones; ``old``: the old properties."""

    kind: Kind
    type: str
    name: str
    values: Sequence[Value] = ()
    old: Mapping[str, Any] | None = None


def difference(old: Sequence[Resource], new: Sequence[Resource]) -> list[Change]:
    """The changes, worst first, then by type and name."""
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
        # Entry by entry, since the whole list wouldn't show which statement of a policy has changed.
        yield from (Value(f"{path}[]", one, None) for one in old if one not in new)
        yield from (Value(f"{path}[]", None, one) for one in new if one not in old)
    elif old != new:
        yield Value(path, old, new)
