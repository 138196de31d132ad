"""Recognises other kinds of files than CSV by their first bytes, with the signatures of file(1) and PRONOM."""

from __future__ import annotations

import re
from collections.abc import Iterable

from handlers.imports.errors import NOT_CSV, ImportRefused

#: Bytes that are checked: enough for the names of an office document's first parts.
HEAD_BYTES = 4096
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
#: Parts of office documents, which are ZIP archives.
_OFFICE = (
    ("xl/", "an Excel workbook (.xlsx)"),
    ("word/", "a Word document (.docx)"),
    ("ppt/", "a presentation (.pptx)"),
    ("[Content_Types].xml", "an Office document (.xlsx, .docx)"),
    ("mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "an OpenDocument spreadsheet (.ods)"),
    ("mimetypeapplication/vnd.oasis.opendocument", "an OpenDocument file"),
    ("META-INF/manifest.xml", "an OpenDocument file"),
    ("Index/Document.iwa", "an iWork document (.numbers)"),
)
UNPACK, EXPORT = "unpack it first", "save its table as CSV"
#: Signature, kind, advice. Signatures that could start a text include bytes that don't occur in text.
_KINDS = (
    (rb"\x1f\x8b", "compressed with gzip", UNPACK),
    (rb"BZh[1-9]1AY&SY", "compressed with bzip2", UNPACK),
    (rb"\xfd7zXZ\0", "compressed with xz", UNPACK),
    (rb"\x28\xb5\x2f\xfd", "compressed with Zstandard", UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (rb"Rar!\x1a\x07", "a RAR archive", UNPACK),
    (rb"(?s:.{257}ustar[\0 ])", "a tar archive", UNPACK),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (.xls, .doc) or an encrypted one", EXPORT),
    (rb"%PDF-", "a PDF document", EXPORT),
    (rb"\{\\rtf", "an RTF document", EXPORT),
    (rb"PAR1[\x00-\x08\x0e-\x1f\x80-\xff]", "a Parquet file", EXPORT),
    (rb"Obj\x01", "an Avro file", EXPORT),
    (rb"ORC[\x00-\x08\x0e-\x1f\x80-\xff]", "an ORC file", EXPORT),
    (rb"SQLite format 3\0", "a SQLite database", EXPORT),
    (rb"\x89PNG\r\n|\xff\xd8\xff|GIF8[79]a.{0,20}\0|II\*\0|MM\0\*", "an image", "import the CSV file"),
    (rb"\x7fELF|MZ[\x00-\x08\x0e-\x1f\x80-\xff]", "a program", "import the CSV file"),
)
_SIGNATURES = tuple((re.compile(pattern), kind, advice) for pattern, kind, advice in _KINDS)
_MARKUP = (
    (re.compile(r"\s*(<!doctype html|<html|<head|<body|<table)", re.IGNORECASE), "HTML"),
    (re.compile(r"\s*<[?!a-z]", re.IGNORECASE), "XML"),
    (re.compile(r"\s*(\{\s*($|\"|\})|\[\s*($|[\[{\"\]]))"), "JSON"),
)


def check_csv(head: bytes) -> None:
    """Raises ImportRefused: the first bytes are those of another kind of file."""
    found = kind_of(head)
    if found is not None:
        kind, advice = found
        raise ImportRefused(NOT_CSV, f"the file is {kind}, not CSV; {advice}")


def kind_of(head: bytes) -> tuple[str, str] | None:
    """The kind of a file by its first bytes, and what to do with it; None: it may be text."""
    if is_zip(head):
        office = next((kind for part, kind in _OFFICE if part.encode() in head), None)
        if office is not None:
            return office, EXPORT
        return "a ZIP archive", "import it as an archive (create_zip_import, or a name that ends in .zip)"
    return next(((kind, advice) for pattern, kind, advice in _SIGNATURES if pattern.match(head)), None)


def is_zip(head: bytes) -> bool:
    """Whether it starts like a ZIP archive, including empty and split ones (APPNOTE.TXT 4.3)."""
    return head.startswith(_ZIP)


def office_kind(names: Iterable[str]) -> str | None:
    """The kind of office document that has these parts; None: it is an archive of files."""
    known = list(names)
    return next((kind for part, kind in _OFFICE if any(name.startswith(part) for name in known)), None)


def markup_of(line: str) -> str | None:
    """The kind of markup that a first line starts; None: it may be a header."""
    return next((kind for pattern, kind in _MARKUP if pattern.match(line)), None)
