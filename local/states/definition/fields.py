"""Reading one JSON object of a definition: which fields it may have, their types, messages with JSON paths."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from local.states.data.intrinsics import UnknownIntrinsic
from local.states.data.paths import ROOT, Path, PathSyntaxError, parse_path, parse_reference_path
from local.states.data.templates import Template, parse_template
from local.states.errors import InvalidDefinition, UnsupportedFeature

#: Longest of any time in a definition (Developer Guide, "Task workflow state"), in seconds.
MAX_SECONDS = 99_999_999


def refuse(where: str, problem: Exception | str) -> InvalidDefinition:
    """The error for a field: its JSON path, then what is wrong. Unknown features get a type of their own."""
    unsupported = isinstance(problem, UnknownIntrinsic) or "not supported" in str(problem)
    kind = UnsupportedFeature if unsupported else InvalidDefinition
    return kind(f"{where}: {problem}")


class Fields:
    """An object at a JSON path. ``unsupported`` maps ASL fields that this runtime lacks to a reason."""

    def __init__(
        self, value: Any, where: str, allowed: Iterable[str], unsupported: Mapping[str, str] | None = None
    ) -> None:
        if not isinstance(value, dict):
            raise refuse(where, "must be an object")
        self.value: dict[str, Any] = value
        self.where = where
        known = {*allowed, "Comment"}
        for field in value:
            if unsupported is not None and field in unsupported:
                raise UnsupportedFeature(f"{where}.{field}: {unsupported[field]}")
            if field not in known:
                raise UnsupportedFeature(
                    f"{where}.{field}: unknown field {field!r} (known: {', '.join(sorted(known))})"
                )

    def __contains__(self, field: str) -> bool:
        return field in self.value

    def at(self, field: str) -> str:
        """The JSON path of a field."""
        return f"{self.where}.{field}"

    def text(self, field: str) -> str:
        """A required string."""
        value = self.value.get(field)
        if not isinstance(value, str) or not value:
            raise refuse(self.at(field), f"must be a non-empty string, not {value!r}")
        return value

    def seconds(self, field: str, *, least: int = 1, most: int = MAX_SECONDS) -> int | None:
        """An optional whole number of seconds (or of anything else with such a range)."""
        if field not in self.value:
            return None
        value = self.value[field]
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise refuse(self.at(field), f"must be an integer from {least} to {most}, not {value!r}")
        return value

    def path(self, field: str, *, reference: bool = False) -> Path | None:
        """An optional path that may be null; absent means ``$``."""
        if field not in self.value:
            return ROOT
        if self.value[field] is None:
            return None
        return self.needed_path(field, reference=reference)

    def needed_path(self, field: str, *, reference: bool = False) -> Path:
        """A path."""
        text = self.text(field)
        try:
            return parse_reference_path(text) if reference else parse_path(text)
        except PathSyntaxError as error:
            raise refuse(self.at(field), error) from error

    def optional_path(self, field: str, *, reference: bool = False) -> Path | None:
        """A path, or None when the field is absent."""
        return self.needed_path(field, reference=reference) if field in self.value else None

    def template(self, field: str) -> Template | None:
        """A payload template, or None when the field is absent."""
        if field not in self.value:
            return None
        if not isinstance(self.value[field], dict):
            raise refuse(self.at(field), "must be an object")
        return parse_template(self.value[field], self.at(field), refuse)

    def array(self, field: str) -> list[Any]:
        """An optional array; absent means empty."""
        value = self.value.get(field, [])
        if not isinstance(value, list):
            raise refuse(self.at(field), "must be an array")
        return value

    def only_one(self, *names: str, needed: bool = False) -> None:
        """At most (or exactly) one of these fields."""
        present = [name for name in names if name in self.value]
        if len(present) > 1 or (needed and not present):
            count = "exactly" if needed else "at most"
            raise refuse(self.where, f"must have {count} one of {', '.join(names)}, has {', '.join(present) or 'none'}")
