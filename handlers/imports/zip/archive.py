"""ZIP archives: lists the CSV and JSON Lines files in one, and streams their content, within limits.

The archive is read by ranges (the directory at its end, then one entry after the other) and never unpacked as a whole.
Declared sizes are checked first but not trusted: the unpacked bytes of an entry are counted, too.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol, cast

from handlers.core.errors import shown
from handlers.core.light_dataclasses import dataclass
from handlers.imports.errors import ImportRefused
from handlers.imports.files.file_kinds import EXPORT, HEAD_BYTES, is_zip, kind_of, office_kind
from handlers.imports.files.formats import SUFFIXES, suffix_of
from handlers.imports.zip.entry_names import leads_elsewhere, name_of, parts_of

NOT_AN_ARCHIVE = "NotAnArchive"
EMPTY_ARCHIVE = "EmptyArchive"
NO_CSV_FILES = "NoCsvFiles"
TOO_MANY_ENTRIES = "TooManyEntries"
ARCHIVE_TOO_LARGE = "ArchiveTooLarge"
ARCHIVE_RATIO = "ArchiveRatio"
UNSAFE_NAME = "UnsafeName"
UNREADABLE_ENTRY = "UnreadableEntry"

#: Why an entry isn't a file to import, with display texts.
RESOURCE_FORK = "ResourceFork"
HIDDEN = "Hidden"
NOT_CSV = "NotCsv"
SKIPPED_BECAUSE = {
    RESOURCE_FORK: "added by an archiver of macOS",
    HIDDEN: "hidden: a part of its name begins with a dot",
    NOT_CSV: f"its name does not end in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}",
}
#: The folder for additional files that macOS adds to archives.
RESOURCE_FORKS = "__MACOSX"
_PATTERN = re.compile(rf"([0-9]{{14}})-([a-z][a-z0-9_-]{{0,62}})(?i:{'|'.join(map(re.escape, SUFFIXES))})")
#: Below this size, a high ratio doesn't indicate a bomb: short repetitive files compress a thousand times.
RATIO_FROM_BYTES = 1024 * 1024
_BLOCK = 256 * 1024
_ENCRYPTED = 1
#: The directory is read at once. An entry takes 46 bytes plus its name (APPNOTE.TXT 4.3.12); 1 KiB allows for long
#: names, 1 MiB for the search for the end of the directory.
_DIRECTORY_BYTES_PER_ENTRY = 1024
_DIRECTORY_BYTES = 1024 * 1024


@dataclass(frozen=True)
class ZipLimits:
    """``zipMaxEntries``, ``zipMaxBytes`` (unpacked, all files together) and ``zipMaxRatio`` (unpacked to packed)."""

    entries: int = 1_000
    bytes: int = 10 * 1024**3
    ratio: int = 200


class Ranges(Protocol):
    """An object that can be read in parts."""

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        ...

    def read(self, start: int, length: int) -> bytes:
        """``length`` bytes from ``start``, fewer only at the end."""
        ...


@dataclass(frozen=True)
class CsvEntry:
    """A file to import; ``name``: its path in the archive; ``position``: in import order, from 0.

    ``table`` is None if the name contains none: this file fails, the others are imported.
    """

    position: int
    name: str
    table: str | None
    bytes: int
    info: zipfile.ZipInfo

    @property
    def key_part(self) -> str:
        """A generated name, so that no text of the archive gets into a key."""
        return f"{self.position:04d}{suffix_of(self.name)}"


@dataclass(frozen=True)
class SkippedEntry:
    """Another entry of an archive, with a ``position`` after those of the files. ``code``: of ``SKIPPED_BECAUSE``."""

    position: int
    name: str
    code: str

    @property
    def reason(self) -> str:
        """Why it isn't imported."""
        return SKIPPED_BECAUSE[self.code]


class Archive:
    """An opened archive. ``files``: to be imported, ordered by name; ``skipped``: the other entries, except for
    folders, which have no content.

    Raises:
        ImportRefused: it isn't an archive, exceeds a limit, has no such file, or has an unsafe name.
    """

    def __init__(self, ranges: Ranges, limits: ZipLimits, table: str | None = None) -> None:
        """``table``: of every file, whatever its name; None: taken from the names, ``<14 digits>-<table>.csv``."""
        self._limits = limits
        longest = max(limits.entries * _DIRECTORY_BYTES_PER_ENTRY, _DIRECTORY_BYTES)
        try:
            self._zip = zipfile.ZipFile(cast(BinaryIO, _Seekable(ranges, longest)))
        except UnicodeDecodeError as error:
            message = f"a name in the archive is marked as UTF-8 and is not: {error.reason}"
            raise ImportRefused(NOT_AN_ARCHIVE, message) from error
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
            raise ImportRefused(NOT_AN_ARCHIVE, _no_archive(ranges.read(0, HEAD_BYTES), error)) from error
        entries = [(name_of(info), info) for info in self._zip.infolist()]
        self._check_sizes(entries)
        _check_names(entries)
        found = [("/".join(parts_of(name)), info) for name, info in entries if not name.endswith("/")]
        wanted = [(name, info) for name, info in found if _why_skipped(name) is None]
        wanted.sort(key=lambda entry: (_base(entry[0]), entry[0]))
        self.files = [
            CsvEntry(position, name, table or _table_of(name), info.file_size, info)
            for position, (name, info) in enumerate(wanted)
        ]
        others = [(name, code) for name, code in ((name, _why_skipped(name)) for name, _ in found) if code is not None]
        self.skipped = [
            SkippedEntry(position, name, code) for position, (name, code) in enumerate(others, start=len(wanted))
        ]
        if not found:
            raise ImportRefused(EMPTY_ARCHIVE, "the archive is empty")
        if not wanted:
            office = office_kind(name for name, _ in entries)
            if office is not None:
                raise ImportRefused(NOT_AN_ARCHIVE, f"the file is {office}, not a ZIP archive; {EXPORT}")
            raise ImportRefused(
                NO_CSV_FILES, f"the archive holds no file of CSV or JSON Lines, but {_listed(self.skipped)}"
            )
        self._left = limits.bytes

    def content(self, entry: CsvEntry) -> Iterator[bytes]:
        """Yield one file in blocks, counted against the limits.

        Raises:
            ImportRefused: it is damaged, encrypted, or larger than declared.
        """
        name = shown(entry.name)
        if entry.info.flag_bits & _ENCRYPTED:
            raise ImportRefused(UNREADABLE_ENTRY, f"{name} is encrypted; encrypted files are not read")
        if entry.info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ImportRefused(
                UNREADABLE_ENTRY, f"{name} is compressed by method {entry.info.compress_type}; only deflate is read"
            )
        size = 0
        try:
            with self._zip.open(entry.info) as stream:
                while block := stream.read(_BLOCK):
                    size += len(block)
                    self._left -= len(block)
                    if size > entry.bytes or self._left < 0:
                        raise ImportRefused(
                            ARCHIVE_TOO_LARGE, f"{name} is larger than the {entry.bytes} bytes that the archive says"
                        )
                    yield block
        except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, zlib.error) as error:
            raise ImportRefused(UNREADABLE_ENTRY, f"{name} can't be unpacked: {error}") from error
        if size != entry.bytes:
            raise ImportRefused(UNREADABLE_ENTRY, f"{name} has {size} bytes, the archive says {entry.bytes}")

    def _check_sizes(self, entries: Sequence[tuple[str, zipfile.ZipInfo]]) -> None:
        limits = self._limits
        if len(entries) > limits.entries:
            raise ImportRefused(
                TOO_MANY_ENTRIES,
                f"the archive has {len(entries)} entries; at most {limits.entries} are allowed (zipMaxEntries)",
            )
        total = sum(info.file_size for _, info in entries)
        if total > limits.bytes:
            raise ImportRefused(
                ARCHIVE_TOO_LARGE,
                f"the archive holds {total} bytes unpacked; at most {limits.bytes} are allowed (zipMaxBytes)",
            )
        for name, info in entries:
            if info.file_size >= RATIO_FROM_BYTES and info.file_size > limits.ratio * max(info.compress_size, 1):
                raise ImportRefused(
                    ARCHIVE_RATIO,
                    f"{shown(name)} unpacks from {info.compress_size} to {info.file_size} bytes; at most "
                    f"{limits.ratio} times as many are allowed (zipMaxRatio)",
                )


def _no_archive(head: bytes, error: Exception) -> str:
    """Text that says what the file is instead."""
    if is_zip(head):
        return f"the ZIP archive is damaged or cut off: {error}"
    found = kind_of(head)
    if found is not None:
        return f"the file is {found[0]}, not a ZIP archive; {found[1]}"
    if head and b"\0" not in head:
        return "the file is not a ZIP archive, but may be CSV; import it as such (create_csv_import, a name in .csv)"
    return f"the file is not a ZIP archive that can be read: {error}"


class _Seekable(io.RawIOBase):
    """Adapts ranges to a file for ``zipfile``, which reads the directory at once: at most ``longest`` bytes."""

    def __init__(self, ranges: Ranges, longest: int) -> None:
        self._ranges = ranges
        self._longest = longest
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._ranges.size}[whence]
        if start + offset < 0:
            # Like files: zipfile tries this.
            raise OSError(f"position {start + offset} is before the start of the file")
        self._position = start + offset
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        left = max(self._ranges.size - self._position, 0)
        length = left if size < 0 else min(size, left)
        if length > self._longest:
            raise ImportRefused(
                TOO_MANY_ENTRIES,
                f"the archive's directory has {length} bytes; at most {self._longest} are read (zipMaxEntries)",
            )
        content = self._ranges.read(self._position, length) if length else b""
        self._position += len(content)
        return content


def _why_skipped(name: str) -> str | None:
    parts = name.split("/")
    if RESOURCE_FORKS in parts:
        return RESOURCE_FORK
    if any(part.startswith(".") for part in parts):
        return HIDDEN
    return None if suffix_of(name) is not None else NOT_CSV


def _check_names(entries: Sequence[tuple[str, zipfile.ZipInfo]]) -> None:
    """Nothing is written under these names, but an archive with a path traversal can't be trusted."""
    for name, _ in entries:
        if leads_elsewhere(name):
            raise ImportRefused(UNSAFE_NAME, f"entry {shown(name)} points outside the archive")


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _table_of(name: str) -> str | None:
    match = _PATTERN.fullmatch(_base(name))
    return match[2] if match else None


def _listed(skipped: Sequence[SkippedEntry]) -> str:
    texts = []
    for reason in dict.fromkeys(entry.reason for entry in skipped):
        names = [entry.name for entry in skipped if entry.reason == reason]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        texts.append(f"{', '.join(map(shown, names[:5]))}{more} ({reason})")
    return "; ".join(texts)
