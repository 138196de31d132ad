"""A first line ``sep=;``: Excel tells the delimiter by it. It is no header, unless a column is named so."""

from __future__ import annotations

import codecs

import pytest

from handlers.imports.errors import ImportRefused
from handlers.imports.files.inspection import Inspection, inspect, records_of
from handlers.imports.files.layout import Layout
from tests.unit.handlers.imports.quirks import bytes_of

LAYOUT = Layout("things", ("id", "name"), ("id",))


def read(content: bytes, layout: Layout = LAYOUT) -> tuple[Inspection, list[tuple[int, list[str]]]]:
    found = inspect(bytes_of(content), layout, versioned=True)
    return found, [(record.line, record.values) for record, _ in records_of(bytes_of(content), layout, found)]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("form", ["sep={}\r\n", "SEP={}\n", "Sep={}\r", '"sep={}"\r\n', "sep={};;\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_delimiter_is_the_declared_one(delimiter: str, form: str, encoding: str) -> None:
    end = form[form.index("\r") :] if "\r" in form else "\n"
    rows = delimiter.join(("id", "name")) + end + delimiter.join(("1", "cup")) + end
    found, records = read((form.format(delimiter) + rows).encode(encoding))
    assert (found.delimiter, found.header) == (delimiter, ["id", "name"])
    assert records == [(3, ["1", "cup"])]
    assert (found.rows, found.ignored, found.is_direct) == (1, 1, False)


def test_it_decides_where_the_header_does_not() -> None:
    """One column: no delimiter stands in the header."""
    layout = Layout("things", ("id",), ("id",), optional=("name",))
    found, records = read(b"sep=;\nid\n1;x\n", layout)
    assert found.delimiter == ";"
    assert [values for _, values in records] == [["1", "x"]]


def test_blank_lines_between_it_and_the_header() -> None:
    found, records = read(b"sep=;\n\n;\nid;name\n1;cup\n")
    assert (records, found.ignored) == ([(5, ["1", "cup"])], 3)


@pytest.mark.parametrize(("line", "shown"), [(b"sep=:\n", "':'"), (b"sep==\n", "'='"), ("sep=、\n".encode(), "'、'")])
def test_a_delimiter_that_is_not_read_is_refused_by_name(line: bytes, shown: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        read(line + b"id:name\n1:cup\n")
    assert refused.value.code == "UnknownDelimiter"
    assert str(refused.value).startswith(f"the first line, {line.decode().strip()!r}, declares the delimiter {shown}")
    assert "expected one of ',', ';', '\\t', '|'" in str(refused.value)


def test_a_wrong_declaration_is_in_the_refusal() -> None:
    with pytest.raises(ImportRefused, match="read with delimiter ';', holds 'id,name'"):
        read(b"sep=;\nid,name\n1,cup\n")


def test_a_column_of_such_a_name_is_a_header() -> None:
    layout = Layout("things", ("sep=",), ("sep=",), optional=("note",))
    found, records = read(b"sep=,note\n1,x\n", layout)
    assert records == [(2, ["1", "x"])]
    found, records = read(b"sep=;\n1\n", Layout("things", ("sep=;",), ("sep=;",)))
    assert (found.header, records) == (["sep=;"], [(2, ["1"])])


@pytest.mark.parametrize("content", [b"\nsep=;\nid;name\n", b"sep=\nid;name\n", b"sep=;;x\nid;name\n", b"sep=;id\n"])
def test_what_is_no_such_line(content: bytes) -> None:
    with pytest.raises(ImportRefused, match=r"missing; the first line"):
        read(content)


def test_a_file_of_nothing_else_is_empty() -> None:
    for content in (b"sep=;", b"sep=;\r\n", codecs.BOM_UTF8 + b"sep=;\n\n"):
        with pytest.raises(ImportRefused) as refused:
            read(content)
        assert refused.value.code == "EmptyFile"
