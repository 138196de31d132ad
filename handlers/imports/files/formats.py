"""The formats of files: a file's name determines its format. A format's reader is loaded only when it is used."""

from __future__ import annotations

from handlers.core.light_dataclasses import dataclass


@dataclass(frozen=True)
class Format:
    """``input_type``: of the Distributed Map's ItemReader. ``first_line``: the physical line of the first row, from 1,
    in a file that the Map reads directly, where each line is a row.
    """

    input_type: str
    suffixes: tuple[str, ...]
    content_type: str
    first_line: int


CSV = Format("CSV", (".csv",), "text/csv", 2)
JSON_LINES = Format("JSONL", (".jsonl", ".ndjson"), "application/x-ndjson", 1)
FORMATS = (CSV, JSON_LINES)
SUFFIXES = tuple(suffix for one in FORMATS for suffix in one.suffixes)


def suffix_of(name: str) -> str | None:
    """The suffix of a name, in lower case, that determines its format; None: there is none."""
    return next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), None)


def format_of(name: str) -> Format:
    """The format of a file or an object by its name; CSV by default."""
    suffix = suffix_of(name)
    return next((one for one in FORMATS if suffix in one.suffixes), CSV)
