"""The port that a file format implements: the loader's first look at a file, its rows, and the copy for the Map."""

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
    """A row of the file by column name. ``end``: the outcome that it has from the start, a problem or the index of the
    row that supersedes it.
    """

    record: Record
    values: Mapping[str, Any]
    end: RowProblem | int | None


class FileReader(Protocol):
    """Reads the files of one format, the same content whenever it is asked."""

    def inspect(
        self,
        open_: Callable[[], BinaryIO],
        layout: Layout,
        *,
        versioned: bool,
        encoding: str | None = None,
        limits: CsvLimits | None = None,
    ) -> Inspection:
        """What a file is: the whole of it is read. ``encoding``: a name that the caller gave; ``versioned``: the object
        has a version that can be read again.

        Raises:
            ImportRefused: the file can't be imported; says why.
        """
        ...

    def rows(
        self, open_: Callable[[], BinaryIO], layout: Layout, found: Inspection, limits: CsvLimits
    ) -> Iterator[FileRow]:
        """The rows of an inspected file in their order. Raises ImportRefused."""
        ...

    def copied(self, found: Inspection, rows: Iterable[FileRow]) -> Iterator[bytes]:
        """A file of these rows that the Distributed Map reads safely, in parts; each says where its row is in the
        original (``ROW_COLUMN``, ``LINE_COLUMN``).
        """
        ...


def reader_of(kind: Format) -> FileReader:
    """The reader of a format."""
    # Each with what the other does not need.
    if kind is JSON_LINES:
        from handlers.imports.files.json_lines.reader import JsonLinesReader

        return JsonLinesReader()
    from handlers.imports.files.csv_reader import CsvReader

    return CsvReader()
