"""Names of archives as archivers write them: separators, code pages, and what is skipped or refused then."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest

from handlers.imports.errors import ImportRefused
from handlers.imports.zip.archive import Archive, ZipLimits
from tests.unit.handlers.imports.test_archive import Bytes, archive

CSV = b"a,b\n"
#: In CP932 the second byte of each of these is 0x5C, a backslash in ASCII.
SECOND_BYTE_5C = "\u8868\u80fd\u30bd"


def raw(*names: bytes, extra: bytes = b"", is_utf_8: bool = False) -> bytes:
    """An archive whose names are these bytes; without the flag for UTF-8 unless it ``is_utf_8``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for number, name in enumerate(names):
            info = zipfile.ZipInfo(chr(0x40 + number) * len(name))
            info.extra = extra
            file.writestr(info, CSV)
    content = buffer.getvalue()
    for number, name in enumerate(names):
        content = content.replace(bytes([0x40 + number]) * len(name), name)
    if is_utf_8:
        for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            place = content.index(signature) + at
            content = content[:place] + struct.pack("<H", 0x800) + content[place + 2 :]
    return content


def opened(*names: bytes, table: str | None = "airports") -> Archive:
    return archive(raw(*names), table)


def names_of(found: Archive) -> list[str]:
    return [entry.name for entry in found.files]


# -- separators -------------------------------------------------------------------------------------


def test_edge_29_a_backslash_separates_folders_files_and_resource_forks() -> None:
    found = opened(
        b"b\\20250101000000-airports.csv",
        b"a\\20250102000000-airports.csv",
        b"__MACOSX\\._20250101000000-airports.csv",
        b"a\\.hidden\\20250101000000-airports.csv",
        b"empty\\",
        table=None,
    )
    assert names_of(found) == ["b/20250101000000-airports.csv", "a/20250102000000-airports.csv"]
    assert {entry.table for entry in found.files} == {"airports"}
    assert [(one.position, one.name, one.code) for one in found.skipped] == [
        (2, "__MACOSX/._20250101000000-airports.csv", "ResourceFork"),
        (3, "a/.hidden/20250101000000-airports.csv", "Hidden"),
    ]
    assert [b"".join(found.content(entry)) for entry in found.files] == [CSV, CSV]


@pytest.mark.parametrize(
    "name",
    [b"a\\..\\..\\b.csv", b"\\b.csv", b"\\\\host\\b.csv", b"c:b.csv", b"c:", b"./../b.csv", b"a/..\\b.csv", b"a\0.csv"],
)
def test_edge_29_names_that_lead_elsewhere_are_found_behind_any_separator(name: bytes) -> None:
    with pytest.raises(ImportRefused, match="points outside the archive") as refused:
        opened(b"20250101000000-airports.csv", name)
    assert refused.value.code == "UnsafeName"


def test_edge_29_a_colon_that_is_punctuation_names_no_drive() -> None:
    """macOS and Linux allow it in names, and archivers there keep it."""
    names = [b"a: report.csv", b"Q: what? A: that.csv", b"c/d:e.csv", b"10:30.csv"]
    assert sorted(names_of(opened(*names))) == sorted(name.decode() for name in names)


def test_edge_30_a_dot_alone_is_no_hidden_folder() -> None:
    found = opened(b"./20250102000000-airports.csv", b".\\20250101000000-airports.csv", b"./", b"./x//y.csv")
    assert names_of(found) == ["20250101000000-airports.csv", "20250102000000-airports.csv", "x/y.csv"]
    assert found.skipped == []


def test_edge_30_each_entry_is_a_file_or_skipped_with_its_reason() -> None:
    found = opened(b"a.csv", b"notes.txt", b"..data.csv", b"x/.y/z.csv", b"__MACOSX/._a.csv", b"B.CSV", b"x/")
    assert names_of(found) == ["B.CSV", "a.csv"]
    assert [(one.position, one.name, one.code, one.reason) for one in found.skipped] == [
        (2, "notes.txt", "NotCsv", "its name does not end in .csv, .jsonl or .ndjson"),
        (3, "..data.csv", "Hidden", "hidden: a part of its name begins with a dot"),
        (4, "x/.y/z.csv", "Hidden", "hidden: a part of its name begins with a dot"),
        (5, "__MACOSX/._a.csv", "ResourceFork", "added by an archiver of macOS"),
    ]


def test_an_archive_of_folders_is_empty() -> None:
    with pytest.raises(ImportRefused) as refused:
        opened(b"a/", b"a/b\\")
    assert refused.value.code == "EmptyArchive"


def test_the_suffix_of_a_name_may_be_in_capitals() -> None:
    (entry,) = opened(b"20250101000000-airports.CSV", table=None).files
    assert entry.table == "airports"


# -- code pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("\u6771\u4eac.csv", "utf-8"),
        ("cafe\u0301.csv", "utf-8"),
        ("\u6771\u4eac.csv", "cp932"),
        (f"{SECOND_BYTE_5C}.csv", "cp932"),
        ("\xe9t\xe9\xff.csv", "cp437"),
    ],
)
def test_edge_31_names_without_the_flag_are_utf_8_then_cp932_then_cp437(text: str, encoding: str) -> None:
    if encoding == "cp437":
        name = bytes([0xFF, 0x81, 0xFF]) + b".csv"
        text = name.decode("cp437")
    else:
        name = text.encode(encoding)
    found = opened(name)
    assert names_of(found) == [text]
    assert b"".join(found.content(found.files[0])) == CSV


def test_edge_31_names_are_ordered_as_they_are_read() -> None:
    """By bytes, the two would be in the other order: one is UTF-8 (0xE3...), the other CP932 (0x83...)."""
    first, second = "\u30a2.csv", "\u30a4.csv"
    assert second.encode("cp932") < first.encode()
    assert names_of(opened(second.encode("cp932"), first.encode())) == [first, second]


def test_edge_31_a_backslash_within_a_character_separates_nothing() -> None:
    name = f"{SECOND_BYTE_5C}\\20250101000000-airports.csv".encode("cp932")
    assert name.count(b"\\") == 4
    (entry,) = opened(name, table=None).files
    assert (entry.name, entry.table) == (f"{SECOND_BYTE_5C}/20250101000000-airports.csv", "airports")


def test_edge_31_a_name_that_leads_out_in_cp932_is_refused() -> None:
    with pytest.raises(ImportRefused, match="points outside the archive"):
        opened(f"{SECOND_BYTE_5C}\\..\\..\\a.csv".encode("cp932"))


@pytest.mark.parametrize(("checksum_of", "shown"), [(b"?.csv", "\u6771.csv"), (b"other", "?.csv")])
def test_edge_31_the_extra_field_for_unicode_names_is_read(checksum_of: bytes, shown: str) -> None:
    """Info-ZIP's: it counts as long as its checksum is that of the name (APPNOTE.TXT 4.6.9)."""
    field = struct.pack("<BL", 1, zlib.crc32(checksum_of)) + "\u6771.csv".encode()
    before = struct.pack("<HH", 0x5455, 1) + b"\0"
    extra = before + struct.pack("<HH", 0x7075, len(field)) + field
    assert names_of(archive(raw(b"?.csv", extra=extra))) == [shown]


def test_edge_31_a_name_that_is_marked_as_utf_8_and_is_not() -> None:
    with pytest.raises(ImportRefused, match="a name in the archive is marked as UTF-8 and is not: invalid start byte"):
        Archive(Bytes(raw(b"\xff\xff.csv", is_utf_8=True)), ZipLimits())
