"""ZIP archives: order, names, what is skipped, limits; each is read by ranges."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from handlers.imports.errors import ImportRefused
from handlers.imports.zip.archive import Archive, ZipLimits
from tests.unit.handlers.imports.quirks import EXPECTED, QUIRKS, read


class Bytes:
    """An object in memory; ``longest``: the most that was read at once."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.longest = self.bytes_read = 0

    @property
    def size(self) -> int:
        return len(self.content)

    def read(self, start: int, length: int) -> bytes:
        self.longest = max(self.longest, length)
        self.bytes_read += length
        return self.content[start : start + length]


def archive(content: bytes, table: str | None = None, **limits: int) -> Archive:
    return Archive(Bytes(content), ZipLimits(**limits), table)


def made(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in entries:
            file.writestr(name, content)
    return buffer.getvalue()


def quirk(name: str) -> Archive:
    return archive((QUIRKS / name).read_bytes())


@pytest.mark.parametrize("name", ["ok.zip", "one_bad.zip", "nested.zip"])
def test_zip_01_02_03_files_rows_and_valid_rows_are_those_of_the_table(name: str) -> None:
    opened, expected = quirk(name), EXPECTED[name]["members"]
    assert [entry.name for entry in opened.files] == sorted(expected)
    for entry in opened.files:
        assert entry.table == "airports"
        outcome = read(b"".join(opened.content(entry)))
        told = expected[entry.name]
        assert outcome.inspection.rows == told["rows_total"]
        assert outcome.invalid == [number for number, _ in told["invalid_rows"]]


def test_zip_01_files_are_ordered_by_name_not_by_place() -> None:
    with zipfile.ZipFile(QUIRKS / "ok.zip") as file:
        assert file.namelist() == ["20250102000000-airports.csv", "20250101000000-airports.csv"]
    assert [entry.name[:8] for entry in quirk("ok.zip").files] == ["20250101", "20250102"]


def test_zip_03_folders_and_resource_forks_are_skipped() -> None:
    assert [(one.name, one.code) for one in quirk("nested.zip").skipped] == [
        ("__MACOSX/export/._20250105000000-airports.csv", "ResourceFork")
    ]
    name = "20250101000000-airports.csv"
    assert [one.name for one in archive(made((f"__MACOSX/{name}", b"fork"), (name, b"a"))).files] == [name]


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("traversal.zip", "UnsafeName", r"entry '../../evil\.csv' points outside the archive"),
        ("empty.zip", "EmptyArchive", "the archive is empty"),
        ("not_csv.zip", "NoCsvFiles", "the archive holds no file of CSV or JSON Lines, but 'readme.txt', 'image.png' "),
    ],
)
def test_zip_04_05_06_refused_archives(name: str, code: str, message: str) -> None:
    with pytest.raises(ImportRefused, match=message) as refused:
        quirk(name)
    assert refused.value.code == code


@pytest.mark.parametrize("name", ["/etc/a.csv", "a/../../b.csv", "..\\b.csv", "C:\\a.csv", "a/.."])
def test_zip_04_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(ImportRefused, match="points outside the archive"):
        archive(made(("20250101000000-airports.csv", b"x"), (name, b"x")))


def test_names_never_get_into_keys() -> None:
    opened = archive(made(("20250101000000-a.csv", b"x"), ("sub/20240101000000-b.csv", b"y")))
    assert [(one.name, one.table, one.key_part) for one in opened.files] == [
        ("sub/20240101000000-b.csv", "b", "0000.csv"),
        ("20250101000000-a.csv", "a", "0001.csv"),
    ]


@pytest.mark.parametrize("name", ["a.csv", "2025-a.csv", "20250101000000-A.csv", "x20250101000000-a.csv"])
def test_a_name_without_a_table_fails_alone_unless_a_table_is_given(name: str) -> None:
    content = made((name, b"x"), ("20250101000000-a.csv", b"y"))
    assert {one.name: one.table for one in archive(content).files}[name] is None
    assert {one.table for one in archive(content, "airports").files} == {"airports"}


def test_zip_08_a_bomb_is_refused_before_anything_is_unpacked() -> None:
    content = made(("20250101000000-a.csv", b"0" * 20_000_000))
    ranges = Bytes(content)
    with pytest.raises(ImportRefused, match=r"unpacks from \d+ to 20000000 bytes; at most 200 times") as refused:
        Archive(ranges, ZipLimits())
    assert refused.value.code == "ArchiveRatio"
    assert ranges.bytes_read < 1_000


def test_zip_08_too_many_entries() -> None:
    content = made(*((f"{number}.csv", b"x") for number in range(10_001)))
    with pytest.raises(ImportRefused, match=r"10001 entries; at most 1000 are allowed \(zipMaxEntries\)"):
        archive(content, entries=1_000)


def test_zip_08_a_directory_beyond_memory_is_not_read() -> None:
    content = made(*((f"{number:0200d}.csv", b"x") for number in range(10_001)))
    ranges = Bytes(content)
    with pytest.raises(ImportRefused, match=r"directory has \d+ bytes; at most 1048576 are read"):
        Archive(ranges, ZipLimits())
    assert ranges.longest <= 1024 * 1024


def test_zip_08_too_many_bytes_in_all() -> None:
    content = made(*((f"{number}.csv", b"x" * 600) for number in range(2)))
    with pytest.raises(ImportRefused, match=r"holds 1200 bytes unpacked; at most 1000 are allowed \(zipMaxBytes\)"):
        archive(content, bytes=1_000)


def lying(content: bytes, size: int) -> bytes:
    """The directory tells a size that is not the entry's own."""
    at = content.rindex(b"PK\x01\x02")
    return content[: at + 24] + struct.pack("<I", size) + content[at + 28 :]


@pytest.mark.parametrize("size", [10, 4_000])
def test_zip_08_declared_sizes_are_not_believed(size: int) -> None:
    opened = archive(lying(made(("20250101000000-a.csv", b"0123456789" * 200)), size))
    with pytest.raises(ImportRefused, match=r"20250101000000-a\.csv") as refused:
        list(opened.content(opened.files[0]))
    assert refused.value.code == "UnreadableEntry"


def corrupted(content: bytes) -> bytes:
    return content[:60] + bytes([content[60] ^ 0xFF]) + content[61:]


def encrypted(content: bytes) -> bytes:
    at = content.rindex(b"PK\x01\x02")
    return content[: at + 8] + b"\x01\x00" + content[at + 10 :]


@pytest.mark.parametrize(
    ("change", "method", "message"),
    [
        (corrupted, zipfile.ZIP_DEFLATED, "can't be unpacked"),
        (encrypted, zipfile.ZIP_DEFLATED, "is encrypted; encrypted files are not read"),
        (lambda content: content, zipfile.ZIP_BZIP2, "is compressed by method 12; only deflate is read"),
    ],
)
def test_files_that_cannot_be_unpacked(change: Callable[[bytes], bytes], method: int, message: str) -> None:
    opened = archive(change(made(("20250101000000-a.csv", b"0123456789" * 200), method=method)))
    with pytest.raises(ImportRefused, match=message):
        list(opened.content(opened.files[0]))


@pytest.mark.parametrize("content", [b"", b"id,name\n1,a\n", b"PK\x03\x04" + b"x" * 100, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_archive(content: bytes) -> None:
    with pytest.raises(ImportRefused) as refused:
        archive(content)
    assert refused.value.code in ("NotAnArchive", "TooManyEntries")


@pytest.mark.parametrize(("count", "more"), [(4, ""), (5, ""), (6, " and 1 more"), (8, " and 3 more")])
def test_zip_03_five_names_show_what_is_there_instead(count: int, more: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        archive(made(*((f"{number}.txt", b"x") for number in range(count))))
    names = ", ".join(f"'{number}.txt'" for number in range(min(count, 5)))
    assert f"no file of CSV or JSON Lines, but {names}{more} (its name" in str(refused.value)


def test_large_files_come_in_blocks() -> None:
    """Only the blocks of one file are in memory."""
    text = b"".join(b"%d,%d\n" % (number, number * 7919) for number in range(200_000))
    opened = archive(made(("20250101000000-a.csv", text)))
    blocks = list(opened.content(opened.files[0]))
    assert b"".join(blocks) == text
    assert max(map(len, blocks)) <= 256 * 1024
