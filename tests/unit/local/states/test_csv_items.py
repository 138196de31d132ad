"""CSV as the Distributed Map reads it (Developer Guide, "How Step Functions parses input CSV files")."""

from __future__ import annotations

from typing import Any

import pytest

from local.states.errors import StatesError
from local.states.maps.csv_items import csv_items


def rows(
    text: str | bytes, delimiter: str = ",", headers: tuple[str, ...] | None = ("a", "b"), piece: int = 3
) -> list[Any]:
    """The values of each item, from pieces that cut characters in two."""
    body = text if isinstance(text, bytes) else text.encode()
    pieces = [body[start : start + piece] for start in range(0, len(body), piece)]
    return [list(item.values()) for item in csv_items(pieces, delimiter, headers)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4\n", [["1", "2"], ["3", "4"]]),
        ("1,2\n3,4", [["1", "2"], ["3", "4"]]),
        ("1,2\r\n3,4\r\n", [["1", "2"], ["3", "4"]]),
        ('"1,x",2\n', [["1,x", "2"]]),
        ('"1\nx",2\n', [["1\nx", "2"]]),
        ('"1\r\n\r\nx",2\r\n3,4', [["1\r\n\r\nx", "2"], ["3", "4"]]),
        ('"say ""hi""",""\n', [['say "hi"', ""]]),
        ('""""\n3,4', [['"', ""], ["3", "4"]]),
        ('{""k"":""v""},2', [['{"k":"v"}', "2"]]),
        ('5" pipe,2', [['5" pipe', "2"]]),
        ("C:\\\\Program Files\\\\MyApp.exe,2", [["C:\\Program Files\\MyApp.exe", "2"]]),
        ("C:\\temp,2", [["C:temp", "2"]]),
        ("one\\,field,2", [["one,field", "2"]]),
        ('a\\"b\\",2', [['a"b"', "2"]]),
        ('"a\\"b",2', [['a"b', "2"]]),
        ("end\\\n3,4", [["end", ""], ["3", "4"]]),
        ("1\n", [["1", ""]]),
        ("1,2,3,4\n", [["1", "2"]]),
        ("1,2\n\n3,4\n", [["1", "2"], ["", ""], ["3", "4"]]),
        ("", []),
        ('"never closed,2\n3,4\n', [["never closed,2\n3,4", ""]]),
        ("あ,い\n", [["あ", "い"]]),
    ],
)
def test_documented_rules(text: str, expected: list[list[str]]) -> None:
    assert rows(text) == expected
    assert rows(text, piece=10_000) == expected


@pytest.mark.parametrize(("delimiter", "text"), [("|", "1|2,x"), (";", "1;2,x"), ("\t", "1\t2,x"), (" ", "1 2,x")])
def test_other_delimiters(delimiter: str, text: str) -> None:
    assert rows(text, delimiter) == [["1", "2,x"]]
    assert rows(text.replace("1", f'"1{delimiter}"'), delimiter) == [[f"1{delimiter}", "2,x"]]


def test_an_escaped_delimiter_is_that_of_the_file() -> None:
    assert rows("1\\|x|2\\,y", "|") == [["1|x", "2,y"]]


def test_the_header_of_the_first_row_keeps_a_byte_order_mark() -> None:
    (item,) = csv_items([b"\xef\xbb\xbfcode,name\nx,y\n"])
    assert item == {"\ufeffcode": "x", "name": "y"}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (b"a,b,a\n1,2,3\n", "CSV headers cannot contain duplicates."),
        (b"a,b\n\x93\xfa,2\n", "not UTF-8"),
        (b"a,\xe3\x81", "not UTF-8"),
        (b"h" * 10_241 + b"\n", "the CSV header exceeds 10240 bytes"),
        (b'a,b\n"' + b"x" * 9_000_000, "an item exceeds 8388608 bytes"),
        (b'a,b\n"' + b"x\n" * 4_500_000, "an item exceeds 8388608 bytes"),
    ],
    ids=["repeated header", "shift_jis", "cut", "long header", "long line", "long field"],
)
def test_what_can_not_be_read(text: bytes, cause: str) -> None:
    with pytest.raises(StatesError, match=cause) as caught:
        rows(text, headers=None, piece=1_000_000)
    assert caught.value.name == "States.ItemReaderFailed"
