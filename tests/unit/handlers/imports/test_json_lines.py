"""JSON Lines: what a line may be, what is one row's problem and what the file's, and the copy for the Map."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from handlers.core.errors import ValidationError
from handlers.imports.errors import PERMANENT, ImportRefused, RowProblem
from handlers.imports.files.formats import CSV, JSON_LINES, format_of
from handlers.imports.files.inspection import BAD_ROWS, BLANK_ROWS, NO_VERSION, REPEATED_KEYS, Inspection
from handlers.imports.files.json_lines.reader import MARK, RETURNS, JsonLinesReader
from handlers.imports.files.json_lines.utf8_lines import lines_of
from handlers.imports.files.layout import REJECT, Layout
from handlers.imports.files.limits import CsvLimits
from handlers.imports.files.named_file import check_file
from handlers.imports.files.reader import FileRow, reader_of

LAYOUT = Layout("t", ("id", "value"), ("id",), ("more",))
LIMITS = CsvLimits(row_bytes=1_000)
BLOCK = 256 * 1024


def look(content: bytes, layout: Layout = LAYOUT, **options: Any) -> tuple[Inspection, list[FileRow]]:
    """What the first look finds, and the rows."""
    reader = JsonLinesReader()

    def open_() -> io.BytesIO:
        return io.BytesIO(content)

    found = reader.inspect(open_, layout, **{"versioned": True, "limits": LIMITS, **options})
    return found, list(reader.rows(open_, layout, found, LIMITS))


def one(line: str | bytes) -> FileRow:
    (row,) = look(line if isinstance(line, bytes) else line.encode())[1]
    return row


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.csv", CSV), ("a.jsonl", JSON_LINES), ("x/A.NDJSON", JSON_LINES), ("a", CSV), ("a.jsonl.txt", CSV)],
)
def test_the_name_determines_the_format(name: str, kind: object) -> None:
    assert format_of(name) is kind
    assert isinstance(reader_of(format_of(name)), JsonLinesReader) == (kind is JSON_LINES)


@pytest.mark.parametrize(
    "value",
    ["é\u2028\n", 12, -0.5, 10**37, True, None, [], {}, {"a": [{"b": ""}, 1]}, [[["x"]]], "", {"__row": 1}],
)
def test_imp_20_a_value_is_kept_as_it_is(value: object) -> None:
    row = one(json.dumps({"id": "1", "value": value}))
    assert row.end is None
    assert dict(row.values) == {"id": "1", "value": value, "more": ""}
    assert type(row.values["value"]) is type(value)


def test_numbers_are_as_tables_keep_them() -> None:
    row = one('{"id": 1.0, "value": 1e3}')
    assert json.dumps(dict(row.values)) == '{"id": 1, "value": 1000, "more": ""}'


BAD = [
    ("{", "InvalidJson", "invalid JSON at character 2: Expecting property name enclosed in double quotes"),
    ('{"id": 1, "value": 2} x', "InvalidJson", "invalid JSON at character 23: Extra data"),
    ("[1]", "InvalidJson", "a list where a JSON object is expected"),
    ("null", "InvalidJson", "null where a JSON object is expected"),
    ('{"id": 1, "value": NaN}', "InvalidJson", "NaN is not JSON"),
    ('{"id": 1, "value": 1e400}', "InvalidJson", "value: inf is not allowed; expected a number that the table can"),
    ('{"id": 1, "value": ' + "9" * 39 + "}", "InvalidJson", "value: 9999"),
    ('{"id": 1, "value": "\\ud800"}', "InvalidJson", "value: '\\ud800' is not allowed; expected text that can be enco"),
    ('{"id": 1, "value": {"a": {"b": 1, "b": 1}}}', "InvalidJson", "name 'b' is in an object more than once"),
    ('{"id": 1, "id": 2, "value": 3}', "InvalidJson", "name 'id' is in an object more than once"),
    ('{"id": 1, "value": {"": 1}}', "InvalidJson", "value: '' is not allowed; expected names that are text"),
    ('{"id": 1, "value": ' + "[" * 40 + "]" * 40 + "}", "InvalidJson", "value[0]"),
    ('{"id": 1}', "MissingColumn", "column 'value' of table 't' is missing"),
    ('{"id": 1, "value": 2, "x": 3}', "UnknownColumn", "column 'x' is not known to table 't'; expected 'id', 'value'"),
    ('{"id": 1, "value": "' + "x" * 1_000 + '"}', "RowTooLong", "the row has 1022 bytes; at most 1000 are imported"),
    ('{"id": 1, "value": [' + "1e37," * 30 + "1]}", "RowTooLong", "the row has "),
]


@pytest.mark.parametrize(("line", "code", "message"), BAD)
def test_imp_20_a_bad_line_is_one_bad_row(line: str, code: str, message: str) -> None:
    found, rows = look(('{"id": "a", "value": 1}\n' + line + '\n{"id": "b", "value": 1}').encode())
    assert (found.rows, found.reasons) == (3, {BAD_ROWS})
    assert [(row.record.number, row.record.line) for row in rows] == [(1, 1), (2, 2), (3, 3)]
    assert [row.end is None for row in rows] == [True, False, True]
    problem = rows[1].end
    assert isinstance(problem, RowProblem)
    assert problem.code == code
    assert problem.message.startswith(message)
    assert code in PERMANENT, "a retry has no values to try"
    assert set(rows[1].values) == {"id", "value", "more"}, "the report has the same columns for all"


@pytest.mark.parametrize("depth", [5_000, 200_000])
def test_no_depth_is_too_much_for_the_reader(depth: int) -> None:
    content = b'{"id": 1, "value": ' + b"[" * depth + b"]" * depth + b"}\n"
    limits = CsvLimits(row_bytes=1_000_000)
    found = JsonLinesReader().inspect(lambda: io.BytesIO(content), LAYOUT, versioned=True, limits=limits)
    assert (found.rows, found.reasons) == (1, {BAD_ROWS})


def test_thousands_of_digits_are_one_bad_row() -> None:
    content = b'{"id": 1, "value": ' + b"9" * 5_000 + b"}\n"
    reader, limits = JsonLinesReader(), CsvLimits()
    found = reader.inspect(lambda: io.BytesIO(content), LAYOUT, versioned=True, limits=limits)
    (row,) = reader.rows(lambda: io.BytesIO(content), LAYOUT, found, limits)
    assert row.end == RowProblem("InvalidJson", "a number has too many digits")


def test_blank_lines_returns_and_a_byte_order_mark() -> None:
    line = b'{"id": %d, "value": 1}'
    content = b"\xef\xbb\xbf" + line % 1 + b"\r\n \t\r\n\n" + line % 2
    found, rows = look(content)
    assert (found.rows, found.ignored) == (2, 2)
    assert [row.record.line for row in rows] == [1, 4]
    assert found.reasons == {MARK, RETURNS, BLANK_ROWS}
    assert look(line % 1 + b"\n" + line % 2 + b"\n")[0].is_direct
    assert look(line % 1)[0].is_direct
    assert look(line % 1, versioned=False)[0].reasons == {NO_VERSION}
    assert (look(b"")[0].rows, look(b"\xef\xbb\xbf")[0].ignored) == (0, 1)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"\xff\xfe{\0", "line 1, byte 1: 0xFF, invalid start byte"),
        (b"{\0}\0", "line 1, byte 2: 0x00, a zero byte"),
        (b'{}\n{"a": "\x82\xa0"}\n', "line 2, byte 8: 0x82, invalid start byte"),
        (b"{}\n{}\n{" + b"\xe3\x81", "line 3, byte 2: 0xE3, unexpected end of data"),
        (b"x" * (BLOCK - 1) + b"\xe3 \n", f"line 1, byte {BLOCK}: 0xE3, invalid continuation byte"),
        (b"\n" + b"x" * BLOCK + b"\xe3\x81\x82\xff", f"line 2, byte {BLOCK + 4}: 0xFF, invalid start byte"),
        (b"x" * BLOCK + b"\n\n{\xff", "line 3, byte 2: 0xFF, invalid start byte"),
    ],
)
def test_imp_20_another_encoding_is_refused_with_line_and_byte(content: bytes, place: str) -> None:
    with pytest.raises(ImportRefused) as caught:
        look(content)
    assert caught.value.code == "UnknownEncoding"
    assert f"the file is not: {place}" in str(caught.value)


def test_another_encoding_can_not_be_named() -> None:
    with pytest.raises(ImportRefused, match="JSON Lines are UTF-8, not CP932"):
        look(b"{}", encoding="cp932")
    look(b"{}", encoding="utf8")
    look(b"{}", Layout("t", ("id", "value"), ("id",), encoding="CP1252"))
    with pytest.raises(ValidationError, match="encoding: 'CP932' is not allowed; expected UTF-8, as JSON Lines are"):
        check_file("files", "imports/a.ndjson", "CP932", ["files"])
    check_file("files", "imports/a.ndjson", "UTF-8", ["files"])


def test_what_is_no_text_is_reported_by_its_kind() -> None:
    with pytest.raises(ImportRefused, match="the file is compressed with gzip, not JSON Lines") as caught:
        look(b"\x1f\x8b\x08 and more")
    assert caught.value.code == "NotJsonLines"


def test_more_rows_than_the_limit_are_refused() -> None:
    with pytest.raises(ImportRefused, match="more than the limit of 2 rows"):
        look(b"{}\n" * 3, limits=CsvLimits(rows=2))


def test_imp_20_a_line_of_any_length_fails_alone_in_bounded_memory() -> None:
    class Endless(io.RawIOBase):
        left = 400

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            return b"x" * size if self.left > 0 else b"\n{}" if self.left == 0 else b""

    first, second = lines_of(Endless(), 10)  # type: ignore[arg-type]
    assert (first.number, first.content, first.bytes) == (1, None, 399 * BLOCK)
    assert (second.number, second.content) == (2, b"{}")


class Short(io.BytesIO):
    """Gives so many bytes at a time."""

    def __init__(self, content: bytes, size: int) -> None:
        super().__init__(content)
        self._size = size

    def read(self, _: int | None = -1) -> bytes:
        return super().read(self._size)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_blocks_may_end_anywhere(size: int) -> None:
    content = '{"id": "é", "value": "あ"}\n\n{"id": 2, "value": 1}'.encode()
    assert [(one.number, one.content) for one in lines_of(Short(content, size), 100)] == [
        (number, line) for number, line in enumerate(content.split(b"\n"), start=1)
    ]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_the_longest_line_keeps_its_content_wherever_blocks_end(size: int) -> None:
    found = list(lines_of(Short(b"abcd\nabcde\nabcd", size), 4))
    assert [(one.content, one.bytes) for one in found] == [(b"abcd", 4), (None, 5), (b"abcd", 4)]


def test_repeated_keys_as_in_csv() -> None:
    content = b"".join(b'{"id": %s, "value": 1}\n' % key for key in (b"1", b'"1"', b'""', b"null", b'""', b"[1]"))
    found, rows = look(content)
    assert found.reasons == {REPEATED_KEYS}
    assert [row.end for row in rows] == [1, None, None, None, None, None], "a number is its text; no key is no key"
    _, rows = look(content, Layout("t", ("id", "value"), ("id",), on_duplicate=REJECT))
    assert rows[1].end == RowProblem("RepeatedKey", "key '1' is in row 1 (line 1) already")
    _, rows = look(b'{"id": 1, "value": 2}\n' * 2, Layout("t", ("id", "value"), ("id", "value")))
    assert [row.end for row in rows] == [1, None]


def test_imp_20_the_copy_holds_what_the_map_can_read() -> None:
    content = '\ufeff{"id": "é", "value": {"a": [1.5, null]}}\r\n\nbad\n{"id": 2, "value": "\u2028"}\n'.encode()
    found, rows = look(content)
    reader = JsonLinesReader()
    whole = b"".join(reader.copied(found, (row for row in rows if row.end is None)))
    assert whole.isascii()
    assert [json.loads(line) for line in whole.splitlines()] == [
        {"__row": 1, "__line": 1, "id": "é", "value": {"a": [1.5, None]}, "more": ""},
        {"__row": 3, "__line": 4, "id": 2, "value": "\u2028", "more": ""},
    ]
    parts = list(reader.copied(found, rows, part_bytes=50))
    assert len(parts) > 1
    assert all(part.endswith(b"\n") for part in parts if part)
