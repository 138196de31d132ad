"""The port that a file format implements: inspection of a file, its rows, and the copy for the Map."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from handlers.core.light_dataclasses import dataclass
from handlers.imports.files.formats import JSON_LINES, Format

if TYPE_CHECKING:
    from handlers.imports.errors import RowProblem
    from handlers.imports.files.inspection import Inspection
    from handlers.imports.files.layout import Layout
    from handlers.imports.files.limits import CsvLimits
    from handlers.imports.files.records import Record


@dataclass(frozen=True)
class FileRow:
    """A row of the file by column name. ``end``: an outcome that is known from the start: a problem or the index of the
    row that supersedes it.
    """

    record: Record
    values: Mapping[str, Any]
    end: RowProblem | int | None


class FileReader(Protocol):
    """Reads the files of one format; repeatable, with the same results."""

    def inspect(
        self,
        open_: Callable[[], BinaryIO],
        layout: Layout,
        *,
        versioned: bool,
        encoding: str | None = None,
        limits: CsvLimits | None = None,
    ) -> Inspection:
        """Inspect a file by reading all of it. ``encoding``: named by the caller; ``versioned``: the object has a
        version that can be read again.

        Raises:
            ImportRefused: the file can't be imported; says why.
        """
        ...

    def rows(
        self, open_: Callable[[], BinaryIO], layout: Layout, found: Inspection, limits: CsvLimits
    ) -> Iterator[FileRow]:
        """The rows of an inspected file in order. Raises ImportRefused."""
        ...

    def copied(self, found: Inspection, rows: Iterable[FileRow]) -> Iterator[bytes]:
        """A copy with these rows that the Distributed Map can read safely, in parts; each row has its position in the
        original (``ROW_COLUMN``, ``LINE_COLUMN``).
        """
        ...


def reader_of(kind: Format) -> FileReader:
    """The reader of a format."""
    # Imported late, since a file needs only one of them.
    if kind is JSON_LINES:
        from handlers.imports.files.json_lines.reader import JsonLinesReader

        return JsonLinesReader()
    from handlers.imports.files.csv_reader import CsvReader

    return CsvReader()
