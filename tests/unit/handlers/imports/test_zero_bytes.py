"""Files that end with zero bytes: preallocated, or cut off by a crash. The refusal says so, and where they begin."""

from __future__ import annotations

import codecs

import pytest

from handlers.imports.encodings.places import BLOCK
from handlers.imports.errors import ImportRefused
from handlers.imports.files.inspection import inspect
from handlers.imports.files.layout import Layout
from handlers.imports.files.limits import CsvLimits
from tests.unit.handlers.imports.quirks import bytes_of

LAYOUT = Layout("things", ("id", "name"), ("id",), optional=("note",))
PLAIN = "id,name\r\n1,cup\r\n2,plate\r\n"
JAPANESE = "id,name\n1,東京駅\n2,カタカナ\n3,ひらがな、漢字\n"


def refusal(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    with pytest.raises(ImportRefused) as refused:
        inspect(bytes_of(content), LAYOUT, versioned=True, encoding=encoding, limits=CsvLimits(line_bytes=100_000))
    return refused.value.code, str(refused.value)


@pytest.mark.parametrize("count", [1, 2, 4_096, 200_000, BLOCK, 3 * BLOCK + 1])
@pytest.mark.parametrize(
    ("content", "named", "line"),
    [
        (PLAIN.encode(), None, 4),
        (PLAIN.encode()[:-5], None, 3),  # within a row
        (PLAIN.encode() + b'3,"', None, 4),  # within quotes
        (codecs.BOM_UTF8 + PLAIN.encode(), None, 4),
        (JAPANESE.encode(), None, 5),
        (JAPANESE.encode()[:-2], None, 4),  # within a character
        (JAPANESE.encode("cp932"), None, 5),
        (JAPANESE.encode("euc_jp"), None, 5),
        (JAPANESE.encode("cp932"), "CP932", 5),
        (PLAIN.encode(), "UTF-8", 4),
        (PLAIN.replace("cup", "café").encode("cp1252"), "CP1252", 4),
    ],
)
def test_the_first_of_them_is_reported(content: bytes, named: str | None, line: int, count: int) -> None:
    code, message = refusal(content + bytes(count), named)
    assert code == "ZeroBytes"
    assert f"zero bytes from byte {len(content) + 1} (line {line}) to its end, {count} of them" in message


@pytest.mark.parametrize("count", [1, 4_096, 200_000, BLOCK])
@pytest.mark.parametrize("end", ["", "7,half", '7,"'])
def test_they_begin_behind_thousands_of_rows(count: int, end: str) -> None:
    """Nothing in the file's first bytes tells."""
    content = ("id,name\n" + "".join(f"{number},cup\n" for number in range(60_000)) + end).encode()
    code, message = refusal(content + bytes(count))
    assert code == "ZeroBytes"
    assert f"from byte {len(content) + 1} (line 60002) to its end, {count} of them" in message


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("count", [4, 4_096, 200_000])
def test_in_encodings_whose_characters_have_zero_bytes(codec: str, count: int) -> None:
    mark = {
        "utf-16-le": codecs.BOM_UTF16_LE,
        "utf-16-be": codecs.BOM_UTF16_BE,
        "utf-32-le": codecs.BOM_UTF32_LE,
        "utf-32-be": codecs.BOM_UTF32_BE,
    }[codec]
    content = mark + PLAIN.encode(codec)
    assert inspect(bytes_of(content), LAYOUT, versioned=True).rows == 2
    code, message = refusal(content + bytes(count))
    assert code == "ZeroBytes"
    assert f"from byte {len(content) + 1} (line 4) to its end, {count} of them" in message


def test_a_file_of_nothing_else() -> None:
    for count in (1, 4_096, 300_000):
        code, message = refusal(bytes(count))
        assert code == "ZeroBytes"
        assert f"the file has nothing but zero bytes, {count} of them" in message


@pytest.mark.parametrize("content", [b"id,name\n1,c\0p\n", b"id,name\n" + b"1,x\n" * 90_000 + b"\0\0\0\n2,y\n"])
def test_zero_bytes_elsewhere_are_another_matter(content: bytes) -> None:
    code, message = refusal(content)
    assert code == "UnknownEncoding"
    assert "zero bytes, which no text has but in UTF-16 and UTF-32" in message


def test_japanese_with_a_zero_byte_in_it_is_not_read() -> None:
    code, message = refusal(JAPANESE.replace("3,", "3\0,").encode("cp932"))
    assert (code, "zero bytes" in message) == ("UnknownEncoding", True)


def test_what_is_wrong_otherwise_costs_no_further_reading() -> None:
    opened = []

    def open_() -> object:
        opened.append(1)
        return bytes_of(b"other\n1\n")()

    with pytest.raises(ImportRefused, match="missing"):
        inspect(open_, LAYOUT, versioned=True)  # type: ignore[arg-type]
    assert len(opened) == 2
