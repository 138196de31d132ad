"""Size limits of a CSV file and its parts."""

from __future__ import annotations

from handlers.core.light_dataclasses import dataclass

#: Limit of a row that the Distributed Map reads from the object itself; AWS documents 256 KiB for its input of one or
#: several rows ("ItemReader (Map)", "ItemBatcher (Map)"), far above an ordinary row.
MAP_ROW_BYTES = 64 * 1024
#: A file with more bytes than this per directly importable row goes to the state machine, without counting rows.
DIRECT_ROW_BYTES = 4 * 1024


@dataclass(frozen=True)
class CsvLimits:
    """``header_chars`` is the Distributed Map's own limit of 10 KiB ("ItemReader (Map)").

    ``row_bytes``: of a row as JSON with its column names; only the longer row fails. ``field_chars`` and ``line_bytes``
    limit memory: beyond them the file is refused, since a quote is probably not closed.
    """

    rows: int = 10_000_000
    header_chars: int = 10 * 1024
    row_bytes: int = 190_000
    field_chars: int = 1024 * 1024
    line_bytes: int = 4 * 1024 * 1024
