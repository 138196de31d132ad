"""The entity types that a stack accepts: a misspelt type would be stored, and no handler would ever receive it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from handlers.core.errors import SettingsError, ValidationError
from handlers.core.light_dataclasses import dataclass


@dataclass(frozen=True)
class EntityTypes:
    """``allowed``: the types that may be published; empty: any. ``handled``: the types that handlers name."""

    allowed: Sequence[str] = ()
    handled: Sequence[str] = ()

    def check(self, type_: str) -> None:
        """Raises ValidationError naming the closest type: it isn't allowed, or differs from another only in case."""
        if type_ in self.allowed or type_ in self.handled:
            return
        known = (*self.allowed, *self.handled)
        twin = next((one for one in known if one.lower() == type_.lower()), None)
        if twin is not None:
            raise ValidationError("type", type_, f"{twin!r}, from which it differs only in case")
        if self.allowed:
            raise ValidationError("type", type_, _expected(type_, self.allowed))

    @classmethod
    def parse(cls, text: str) -> EntityTypes:
        """From the ``ENTITY_TYPES`` variable: ``{"allowed": [...], "handled": [...]}``. Raises SettingsError."""
        try:
            given = json.loads(text)
            return cls(tuple(given["allowed"]), tuple(given["handled"]))
        except (ValueError, TypeError, KeyError) as error:
            raise SettingsError(f"ENTITY_TYPES: {text!r} is not an object of allowed and handled types") from error


def _expected(type_: str, allowed: Sequence[str]) -> str:
    import difflib  # needed only for errors

    close = difflib.get_close_matches(type_.upper(), allowed, n=1, cutoff=0.6)
    nearest = f"{close[0]!r}, which is the closest; all: " if close else "one of "
    return f"{nearest}{', '.join(sorted(allowed))}"
