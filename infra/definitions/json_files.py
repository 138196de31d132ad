"""JSON files written by hand: refuses duplicate keys, of which parsers silently keep the last one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

TOO_DEEP = "its lists and objects are nested too deeply"


class RepeatedKey(ValueError):
    """An object has the same key twice; names the key and another key of the object, to locate it."""


def parse(text: str) -> Any:
    """The value of a JSON text (RFC 8259, section 4: names within an object should be unique).

    Raises:
        RepeatedKey: an object has a key twice.
        ValueError: the text isn't JSON (``NaN`` and ``Infinity`` aren't, either) or is nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def read(path: Path) -> Any:
    """The value in a file. Raises ValueError naming the file and, if an object has a key twice, the key."""
    try:
        return parse(path.read_text(encoding="utf-8"))
    except RepeatedKey as error:
        raise RepeatedKey(f"{path.name}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path.name} is not JSON: {error}") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    names = [name for name, _ in pairs]
    repeated = next(name for name in names if names.count(name) > 1)
    others = [name for name in made if name != repeated]
    place = f" (next to {others[0]!r})" if others else ""
    raise RepeatedKey(f"the key {repeated!r} occurs {names.count(repeated)} times in one object{place}")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a JSON number")
