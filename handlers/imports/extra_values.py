"""Values of a row beyond its file's header: stored by number, so that the report can show them in order.

A separate module, so that writing a report doesn't load the file readers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping


def name_of_extra(number: int) -> str:
    """The name under which a row stores value ``number``, counted from 1."""
    return f"value {number}"


def beyond_header(row: Mapping[str, str], width: int) -> Iterator[str]:
    """The values of a stored row beyond the ``width`` columns of its file's header, in order."""
    names = map(name_of_extra, itertools.count(width + 1))
    return (row[name] for name in itertools.takewhile(lambda name: name in row, names))
