"""Files that are no CSV, blank rows, and headers: the most helpful finding comes first."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile

import pytest

from handlers.imports.errors import ImportRefused
from handlers.imports.files import inspection as reasons
from handlers.imports.files.inspection import Inspection, inspect, records_of
from handlers.imports.files.layout import Layout
from handlers.imports.zip.archive import Archive, ZipLimits
from tests.unit.handlers.imports.quirks import AIRPORTS, bytes_of, read

LAYOUT = Layout("things", ("id", "name"), ("id",), optional=("note",))
CSV = b"id,name\r\n1,a\r\n"


def look(content: bytes, encoding: str | None = None) -> Inspection:
    return inspect(bytes_of(content), LAYOUT, versioned=True, encoding=encoding)


def rows(content: bytes, encoding: str | None = None) -> list[tuple[int, int, list[str]]]:
    records = records_of(bytes_of(content), LAYOUT, look(content, encoding))
    return [(record.number, record.line, record.values) for record, _ in records]


def zipped(*names: str, content: bytes = CSV) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("a.csv")
        info.size = len(CSV)
        archive.addfile(info, io.BytesIO(CSV))
    return buffer.getvalue()


KINDS = [
    (zipped("a.csv"), "a ZIP archive", "import it as an archive"),
    (zipped(), "a ZIP archive", "import it"),
    (zipped("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook", "save its table as CSV"),
    (zipped("word/document.xml"), "a Word document", "save"),
    (zipped("mimetype", content=b"application/vnd.oasis.opendocument.spreadsheet"), "an OpenDocument spread", "save"),
    (gzip.compress(CSV), "compressed with gzip", "unpack it first"),
    (bz2.compress(CSV), "compressed with bzip2", "unpack"),
    (lzma.compress(CSV), "compressed with xz", "unpack"),
    (tarred(), "a tar archive", "unpack"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "an old Office document", "save"),
    (b"%PDF-1.7\n%\xe2\xe3", "a PDF document", "save"),
    (b"SQLite format 3\0", "a SQLite database", "save"),
    (b"PAR1\x15\x04", "a Parquet file", "save"),
    (b"\x89PNG\r\n\x1a\n", "an image", "import the CSV file"),
]


@pytest.mark.parametrize(("content", "kind", "advice"), KINDS, ids=[kind for _, kind, _ in KINDS])
@pytest.mark.parametrize("encoding", [None, "cp1252"])
def test_edge_27_a_file_of_another_kind_is_named(content: bytes, kind: str, advice: str, encoding: str | None) -> None:
    with pytest.raises(ImportRefused, match=f"the file is {kind}.*, not CSV; {advice}") as refused:
        look(content, encoding)
    assert refused.value.code == "NotCsv"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "HTML"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
        (b'[{"id": 1}]', "JSON"),
        (b'{\n  "id": 1\n}', "JSON"),
    ],
)
def test_edge_27_a_text_of_another_kind_is_named(text: bytes, kind: str) -> None:
    with pytest.raises(ImportRefused, match=f"columns 'id', 'name' .* the file looks like {kind}"):
        look(text)


class Bytes:
    """See Ranges."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def read(self, start: int, length: int) -> bytes:
        return self._content[start : start + length]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (CSV * 10, "not a ZIP archive, but may be CSV; import it as such"),
        ("id,name\n1,男\n".encode("cp932") * 10, "may be CSV"),
        (gzip.compress(CSV * 10), "the file is compressed with gzip, not a ZIP archive; unpack it first"),
        (zipped("a.csv")[:-30], "the ZIP archive is damaged or cut off"),
        (b"\0" * 100, "not a ZIP archive that can be read"),
        (zipped("[Content_Types].xml", "xl/workbook.xml"), "the file is an Excel workbook .*, not a ZIP archive"),
    ],
    ids=["csv", "cp932", "gzip", "damaged", "zeros", "excel"],  # archives hold the time
)
def test_edge_27_what_is_no_archive_is_named(content: bytes, message: str) -> None:
    with pytest.raises(ImportRefused, match=message) as refused:
        Archive(Bytes(content), ZipLimits())
    assert refused.value.code == "NotAnArchive"


@pytest.mark.parametrize(
    ("tail", "ignored"),
    [
        (b",\r\n,\r\n", 2),
        (b"   \r\n", 1),
        (b'"",""\r\n', 1),
        (b",,,,,,\r\n", 1),  # wider than the header
        ("\u3000,\xa0\r\n".encode(), 1),
        (b"\r\n\r\n", 2),
        (b"\x1a", 1),
        (b"\x1a\x1a\x1a", 1),
        (b"\x1a\r\n", 1),
        (b",\r\n\x1a", 2),
    ],
)
def test_edge_23_rows_without_values_and_the_end_mark_are_ignored(tail: bytes, ignored: int) -> None:
    content = CSV + tail
    found = look(content)
    assert rows(content) == [(1, 2, ["1", "a"])]
    assert (found.rows, found.ignored, found.is_direct) == (1, ignored, False)


def test_edge_23_blank_rows_between_others_keep_numbers_and_lines_right() -> None:
    many = b"".join(b"%d,a\r\n" % number for number in range(10, 5_000))
    content = b",,\r\n;\r\nid,name\r\n,\r\n1,a\r\n  , \r\n" + many + b",\r\n2,b\x1a"
    found = look(content)
    assert (found.rows, found.ignored) == (4_992, 6)
    read = rows(content)
    assert read[0] == (1, 5, ["1", "a"])
    assert read[1] == (2, 7, ["10", "a"])
    assert read[-1] == (4_992, 4_998, ["2", "b"])


def test_edge_23_a_row_without_key_is_a_row_as_long_as_it_has_a_value() -> None:
    assert [values for _, _, values in rows(b"id,name\n ,a\n,\n,b\n")] == [[" ", "a"], ["", "b"]]


def test_edge_23_ctrl_z_within_a_file_is_text() -> None:
    assert rows(b"id,name\n1,a\x1ab\n2,c\x1a\n") == [(1, 2, ["1", "a\x1ab"]), (2, 3, ["2", "c\x1a"])]
    assert rows("id,name\n1,a\x1a".encode("utf-16")) == [(1, 2, ["1", "a"])]


def test_the_end_mark_is_found_wherever_a_block_ends() -> None:
    class Slow(io.RawIOBase):
        def __init__(self) -> None:
            self.parts = [b"id,name\n1,a\n", b"2,b\x1a", b"\x1a", b"c\n", b"\x1a", b"\x1a"]

        def read(self, size: int = -1, /) -> bytes:
            return self.parts.pop(0) if self.parts else b""

    found = inspect(Slow, LAYOUT, versioned=True)  # type: ignore[arg-type]
    assert (found.rows, found.ignored, found.reasons) == (2, 1, {reasons.END_MARK})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "1,a,,\n2,b,,\n",
            "columns 'id', 'name' of table 'things' are missing; the first line, read with delimiter ',', holds "
            "'1', 'a', '', ''; perhaps the file has no header",
        ),
        ("id,,\n", "column 'name' of table 'things' is missing; the first line, .* holds 'id', '', ''$"),
        ("ID,name\n", "column 'id' .* is missing; .*; 'ID' is not 'id'"),
        ("id,name \n", "column 'name' .* is missing; .*; 'name ' is not 'name'"),
        ("id,id\n", "column 'name' .* is missing"),
        ("id,name,,\n", "column 3 of the header has no name"),
        ("id,name,name,x\n", "column 'name' is in the header more than once"),
        ("id,name,x\n", "column 'x' is not known"),
    ],
)
def test_edge_26_the_first_finding_explains_the_others(text: str, message: str) -> None:
    with pytest.raises(ImportRefused, match=message):
        look(text.encode())


@pytest.mark.parametrize("number", ["1E2", "1e2", "+1.5E+1", "-0", "12.25"])
def test_edge_35_numbers_of_the_samples_schema_are_read(number: str) -> None:
    outcome = read(f"icao,name,country,lat,lon,elevation\nRJTT,Haneda,JP,35,139,{number}\n".encode())
    assert outcome.invalid == []
    given = outcome.prepared[1].given
    assert given is not None
    assert given.attributes["elevation"] == float(number)


def test_edge_35_columns_come_in_any_order_and_optional_ones_may_be_absent() -> None:
    assert set(AIRPORTS.layout.columns) == {"icao", "name", "country", "lat", "lon"}
    outcome = read(b"lon,lat,country,name,icao\n139.5,35,JP,Haneda,RJTT\n")
    assert outcome.invalid == []
    given = outcome.prepared[1].given
    assert given is not None
    assert (given.code, given.attributes["lat"], given.attributes["iata"]) == ("RJTT", 35, "")
    assert given.attributes["elevation"] is None
