"""Reading CSV: encodings, delimiters, headers, lines, limits, repeated keys, and what the Distributed Map may read."""

from __future__ import annotations

import codecs
import csv
import io
import random
from dataclasses import replace

import pytest

from handlers.imports.errors import ImportRefused
from handlers.imports.files import inspection as reasons
from handlers.imports.files.inspection import inspect, records_of
from handlers.imports.files.layout import REJECT, Layout
from handlers.imports.files.limits import CsvLimits
from handlers.imports.files.normalized_copy import normalised
from handlers.imports.files.records import BATCH_ROWS
from tests.unit.handlers.imports.quirks import bytes_of

LAYOUT = Layout("things", ("id", "name"), ("id",), optional=("note",))
JAPANESE = "id,name\n1,東京駅\n2,カタカナ\n3,ひらがな、漢字\n"


def look(text: str | bytes, layout: Layout = LAYOUT, **options: object) -> reasons.Inspection:
    content = text.encode() if isinstance(text, str) else text
    return inspect(bytes_of(content), layout, **{"versioned": True, **options})  # type: ignore[arg-type]


def rows(text: str | bytes, layout: Layout = LAYOUT, **options: object) -> list[list[str]]:
    content = text.encode() if isinstance(text, str) else text
    found = look(content, layout, **options)
    return [record.values for record, _ in records_of(bytes_of(content), layout, found)]


def problems(text: str, layout: Layout = LAYOUT) -> dict[int, str]:
    found = look(text, layout)
    records = [record for record, _ in records_of(bytes_of(text.encode()), layout, found)]
    return {record.number: record.problem.message for record in records if record.problem is not None}


# -- encodings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (JAPANESE.encode(), "utf-8"),
        (codecs.BOM_UTF8 + JAPANESE.encode(), "utf-8-sig"),
        (JAPANESE.encode("utf-16"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + JAPANESE.encode("utf-16-be"), "utf-16-be"),
        (JAPANESE.encode("utf-32"), "utf-32-le"),
        (codecs.BOM_UTF32_BE + JAPANESE.encode("utf-32-be"), "utf-32-be"),
        (b"\x84\x31\x95\x33" + JAPANESE.encode("gb18030"), "gb18030"),
        (JAPANESE.encode("utf-16-le"), "utf-16-le"),
        (JAPANESE.encode("utf-16-be"), "utf-16-be"),
        (JAPANESE.encode("cp932"), "cp932"),
        (JAPANESE.encode("euc_jp"), "euc_jp"),
    ],
)
def test_encodings_are_distinguished(content: bytes, encoding: str) -> None:
    assert look(content).encoding == encoding
    assert [values[1] for values in rows(content)] == ["東京駅", "カタカナ", "ひらがな、漢字"]


def test_the_whole_file_decides() -> None:
    """Nothing but ASCII for megabytes, then a Japanese row."""
    content = b"id,name\n" + b"".join(b"%d,plain\n" % n for n in range(300_000)) + "x,東京駅\n".encode("cp932")
    found = look(content)
    assert (found.encoding, found.rows) == ("cp932", 300_001)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (JAPANESE.encode("iso2022_jp"), "escape sequences of ISO-2022-JP"),
        ("id,name\n1,커피\n".encode("iso2022_kr"), "escape sequences of ISO-2022-JP or ISO-2022-KR"),
        ("имя,город\n1,Москва\n".encode("utf-16-le"), "zero bytes"),
        (b"id,name\n" + b"1,a\n" * 3_000 + b"2,\0\n", "zero bytes"),
        ("id,name\n1,café résumé\n2,naïve\n".encode("latin-1"), r"line 2, byte 6: 0xE9.*could be CP1252"),
        ("id,name\n1,r\u00e9sum\u00e9s\n2,t\u00eate\n".encode("latin-1"), r"line 2, byte 4: 0xE9.*could be .*CP1252"),
        (b"+/v8-id,name\n", "the mark of UTF-7"),
        (b"id,name\n1,\xff\xff\n", "line 2, byte 3: 0xFF"),
    ],
)
def test_other_encodings_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(ImportRefused, match=message) as refused:
        look(content)
    assert refused.value.code == "UnknownEncoding"


@pytest.mark.parametrize("name", ["latin-99", "utf-7", "", "johab"])
def test_a_given_encoding_is_one_of_the_known(name: str) -> None:
    with pytest.raises(ImportRefused, match=f"encoding {name!r} is not read; known: UTF-8, UTF-16, .*CP932, .*GB18030"):
        look("id,name\n", encoding=name)


@pytest.mark.parametrize("name", ["Shift_JIS", "windows-31j", "CP932", "sjis"])
def test_a_given_encoding_has_several_names(name: str) -> None:
    assert look(JAPANESE.encode("cp932"), encoding=name).encoding == "cp932"


def test_a_given_encoding_is_held_to() -> None:
    with pytest.raises(ImportRefused, match="the file is not EUC-JP throughout: line 2, byte 3: 0x93"):
        look(JAPANESE.encode("cp932"), encoding="euc-jp")


def test_a_mark_at_the_start_is_skipped_also_when_utf_8_is_given() -> None:
    assert look(codecs.BOM_UTF8 + b"id,name\n1,a\n", encoding="utf-8").header == ["id", "name"]


# -- delimiters and headers -------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found_by_the_columns(delimiter: str) -> None:
    text = f'id{delimiter}name\n1{delimiter}"a{delimiter}b,c;d"\n'
    assert look(text).delimiter == delimiter
    assert rows(text) == [["1", f"a{delimiter}b,c;d"]]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("", "EmptyFile", "the file is empty"),
        ("\n\r\n\n", "EmptyFile", "the file is empty"),
        ("id\n1\n", "MissingColumn", "column 'name' of table 'things' is missing; the first line, .* holds 'id'"),
        (
            "a:b\n",
            "MissingColumn",
            "columns 'id', 'name' of table 'things' are missing; the first line, .* holds 'a:b'",
        ),
        ("id,name,id\n", "DuplicateColumn", "column 'id' is in the header more than once"),
        (
            "id,name,Note\n",
            "UnknownColumn",
            "column 'Note' is not known to table 'things'; expected 'id', ",
        ),
        ("id,name,\n", "UnknownColumn", "column 3 of the header has no name"),
        (f"id,name,{'x' * 20_000}\n", "HeaderTooLong", "more than the limit of 10240 characters"),
        ('id,"name"x\n', "MalformedQuotes", "the header's quotes are malformed"),
        ('id,"name\n', "UnclosedQuote", "line 1: a quote is opened and never closed"),
    ],
)
def test_wrong_headers_are_refused(text: str, code: str, message: str) -> None:
    with pytest.raises(ImportRefused, match=message) as refused:
        look(text)
    assert refused.value.code == code


def test_columns_come_in_any_order_and_optional_ones_may_be_there() -> None:
    assert look("note,name,id\nx,a,1\n").header == ["note", "name", "id"]


# -- lines ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    text = end.join(["id,name", "1,a", '2,"b"', "3,c"])
    assert rows(text) == [["1", "a"], ["2", "b"], ["3", "c"]]
    assert (reasons.LONE_RETURNS in look(text).reasons) == (end == "\r")


def test_lines_and_indexes_over_batches() -> None:
    """Multi-line values, blank lines, malformed and short rows, spread over several batches, against a plain count."""
    rng = random.Random(7)
    text, line = "id,name\n", 2
    expected: list[tuple[int, int, bool]] = []
    for number in range(3 * BATCH_ROWS):
        kind = rng.choice(["plain"] * 30 + ["blank", "multi", "malformed", "short", "long"])
        piece = {
            "plain": f"{number},a\n",
            "blank": "\n",
            "multi": f'{number},"a\r\nb\n\rc"\n',
            "malformed": f'{number},"a"b\n',
            "short": f"{number}\n",
            "long": f"{number},a,\n",
        }[kind]
        if kind != "blank":
            expected.append((len(expected), line, kind in ("malformed", "long")))
        text += piece
        line += {"multi": 4}.get(kind, 1)
    found = look(text)
    records = [record for record, _ in records_of(bytes_of(text.encode()), LAYOUT, found)]
    assert [(one.index, one.line, one.problem is not None) for one in records] == expected
    assert found.rows == len(expected)


def test_malformed_quotes_fail_their_row() -> None:
    assert problems('id,name\n1,a\n2,"b"c\n3,d\n') == {2: "malformed quotes: ',' expected after '\"'"}


def test_a_quote_that_is_never_closed_refuses_the_file() -> None:
    with pytest.raises(ImportRefused, match="line 3: a quote is opened and never closed"):
        look('id,name\n1,a\n2,"b\n3,c\n')


def test_a_line_without_end_is_refused_before_it_is_in_memory() -> None:
    served = [0]

    class Endless(io.RawIOBase):
        start = b"id,name\n1,"

        def read(self, size: int = -1, /) -> bytes:
            block, self.start = self.start.ljust(size, b"a"), b""
            served[0] += size
            return block

    with pytest.raises(ImportRefused, match="a line is longer than the limit of 4194304 bytes"):
        inspect(Endless, LAYOUT, versioned=True)  # type: ignore[arg-type]
    assert served[0] < 6_000_000


def test_more_rows_than_the_limit_are_refused() -> None:
    with pytest.raises(ImportRefused, match="more than the limit of 3 rows") as refused:
        look("id,name\n1,a\n2,b\n3,c\n4,d\n", limits=CsvLimits(rows=3))
    assert refused.value.code == "TooManyRows"


# -- repeated keys ----------------------------------------------------------------------------------


def winners(text: str, layout: Layout = LAYOUT) -> dict[int, int]:
    found = look(text, layout)
    pairs = records_of(bytes_of(text.encode()), layout, found)
    return {record.number: winner + 1 for record, winner in pairs if winner is not None}


def test_imp_05_earlier_rows_name_the_one_that_supersedes_them() -> None:
    text = "id,name\n1,a\n2,b\n1,c\n3,d\n1,e\n2,f\n"
    assert winners(text) == {1: 5, 2: 6, 3: 5}
    assert look(text).reasons == {reasons.REPEATED_KEYS}


def test_imp_05_rejected_repeats_name_the_first() -> None:
    layout = replace(LAYOUT, on_duplicate=REJECT)
    text = "id,name\n1,a\n\n2,b\n1,c\n1,d\n"
    assert problems(text, layout) == {
        3: "key '1' is in row 1 (line 2) already",
        4: "key '1' is in row 1 (line 2) already",
    }
    assert winners(text, layout) == {}


def test_keys_of_several_columns() -> None:
    layout = replace(LAYOUT, key=("id", "name"))
    assert winners("id,name\n1,a\n1,b\n2,a\n1,a\n", layout) == {1: 4}


def test_rows_without_key_do_not_supersede_each_other() -> None:
    assert winners('id,name\n"",a\n"",b\n""\n') == {}


def test_rows_that_cannot_be_read_have_no_key() -> None:
    assert winners("id,name\n1,a\n1,b,c\n") == {}


def test_repeated_keys_over_batches() -> None:
    numbers = [*range(2 * BATCH_ROWS), 5, BATCH_ROWS + 5, 5]
    text = "id,name\n" + "".join(f"{number},a\n" for number in numbers)
    last = len(numbers)
    assert winners(text) == {6: last, BATCH_ROWS + 6: last - 1, last - 2: last}


# -- what the Distributed Map may read --------------------------------------------------------------

PLAIN = 'id,name\n1,"a, ""b"""\n2,c\n'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (PLAIN.encode(), set()),
        (PLAIN.replace("\n", "\r\n").encode(), set()),
        (codecs.BOM_UTF8 + PLAIN.encode(), {reasons.NOT_UTF_8}),
        (PLAIN.encode("utf-16"), {reasons.NOT_UTF_8}),
        (b"id;name\n1;a\n", {reasons.NOT_COMMA}),
        (b"id,name\n1,a\\b\n", {reasons.BACKSLASHES}),
        (b"id,name\n1\n", {reasons.SHORT_ROWS}),
        (b"id,name\n1,a,b\n", {reasons.BAD_ROWS}),
        (b'id,name\n1,"a"b\n', {reasons.BAD_ROWS}),
        (b"id,name\n\n1,a\n", {reasons.BLANK_ROWS}),
        (b"\nid,name\n1,a\n", {reasons.BLANK_ROWS}),
        (b"id,name\r1,a\r", {reasons.LONE_RETURNS}),
        (b"id,name\n1," + b"x" * 70_000 + b"\n", {reasons.LARGE_ROWS}),
        (b'id,name\n1,"' + b"xxxxxxx\n" * 9_000 + b'"\n', {reasons.LARGE_ROWS, reasons.MANY_LINES}),
        (b'id,name\n1,"a\nb"\n', {reasons.MANY_LINES}),
        (b"id,name\n1," + b"x" * 200_000 + b"\n", {reasons.BAD_ROWS}),
        (b"id,name\n1,a\n1,b\n", {reasons.REPEATED_KEYS}),
        (b'id,name\n1,"the ""big"" one, 12"""\n2,"a, b"\n"3",""\n', set()),
        (b'id,name\n1,12"\n', {reasons.QUOTES}),
        (b'id,name\n1,"a"\n2,5\'10" x 6"\n', {reasons.QUOTES}),
        (b'id,name\n1, "a"\n', {reasons.QUOTES}),
    ],
)
def test_the_map_reads_only_what_it_reads_as_we_do(content: bytes, expected: set[str]) -> None:
    found = look(content)
    assert found.reasons == expected
    assert found.is_direct == (not expected)


def test_imp_16_an_object_without_version_is_copied() -> None:
    assert look(PLAIN, versioned=False).reasons == {reasons.NO_VERSION}


def test_the_copy_is_read_as_the_original() -> None:
    """Read back by the documented rules: a backslash escapes a backslash."""
    text = 'id;name\r\n1;"a, ""b"";\n\\c"\r\n2\r\n"3";C:\\temp\\\r\n'
    found = look(text)
    records = [record for record, _ in records_of(bytes_of(text.encode()), LAYOUT, found)]
    copy = b"".join(normalised(found.header, records)).decode()
    back = list(csv.reader(io.StringIO(copy, newline="")))
    assert back[0] == ["__row", "__line", "id", "name"]
    assert [[value.replace("\\\\", "\\") for value in row] for row in back[1:]] == [
        ["1", "2", "1", 'a, "b";\n\\c'],
        ["2", "4", "2", ""],
        ["3", "5", "3", "C:\\temp\\"],
    ]


def test_the_copy_comes_in_parts() -> None:
    text = "id,name\n" + "".join(f"{n},東京\n" for n in range(5_000))
    found = look(text)
    records = [record for record, _ in records_of(bytes_of(text.encode()), LAYOUT, found)]
    parts = list(normalised(found.header, records, part_bytes=10_000))
    assert len(parts) > 5
    assert max(map(len, parts)) < 30_000
    assert b"".join(parts) == b"".join(normalised(found.header, records))
