"""Decodes the names of a ZIP archive's entries, whichever archiver wrote them.

Names are checked, ordered and matched in this form only; nothing is ever written under one.
"""

from __future__ import annotations

import re
import struct
import zipfile
import zlib

#: APPNOTE.TXT 4.4.4, bit 11: the name is UTF-8.
_IS_UTF_8 = 0x800
#: Info-ZIP Unicode Path Extra Field (APPNOTE.TXT 4.6.9): version, checksum of the name in the header, name in UTF-8.
_UNICODE_PATH = 0x7075
_UNICODE_PATH_HEADER = struct.Struct("<BL")
_EXTRA_HEADER = struct.Struct("<HH")
#: Encodings of names that aren't marked as UTF-8: archivers of macOS and Linux write UTF-8 anyway, those of Windows the
#: code page of their language. CP437, the format's own (APPNOTE.TXT, appendix D), decodes all bytes.
_UNMARKED = ("utf-8", "cp932")
_OWN = "cp437"
#: Windows drives. A colon followed by a blank is punctuation, which macOS and Linux allow in names.
_DRIVE = re.compile(r"[A-Za-z]:(?! )")


def name_of(info: zipfile.ZipInfo) -> str:
    """An entry's path with ``/`` between its parts, otherwise as in the archive.

    ``\\`` is a separator, too: archivers of Windows write it despite APPNOTE.TXT 4.4.17.1. It is replaced after
    decoding, since it is also the second byte of characters in CP932.
    """
    return _decoded(info).replace("\\", "/")


def parts_of(name: str) -> list[str]:
    """The segments of a path; a leading ``./``, as written by ``tar`` and others, is dropped."""
    return [part for part in name.split("/") if part not in ("", ".")]


def leads_elsewhere(name: str) -> bool:
    """Whether a name isn't a path below the archive's own folder."""
    return name.startswith("/") or ".." in name.split("/") or bool(_DRIVE.match(name)) or "\0" in name


def _decoded(info: zipfile.ZipInfo) -> str:
    # ``filename`` ends at a NUL. The module decodes unmarked names as CP437, which is reversible.
    if info.flag_bits & _IS_UTF_8:
        return info.orig_filename
    raw = info.orig_filename.encode(_OWN)
    unicode_path = _unicode_path(info.extra, raw)
    if unicode_path is not None:
        return unicode_path
    for encoding in _UNMARKED:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode(_OWN)


def _unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in the extra field; None if there is none, or the name was changed without updating it."""
    at = 0
    while at + _EXTRA_HEADER.size <= len(extra):
        kind, size = _EXTRA_HEADER.unpack_from(extra, at)
        field = extra[at + _EXTRA_HEADER.size : at + _EXTRA_HEADER.size + size]
        if kind == _UNICODE_PATH and len(field) > _UNICODE_PATH_HEADER.size:
            version, checksum = _UNICODE_PATH_HEADER.unpack_from(field)
            if (version, checksum) == (1, zlib.crc32(raw)):
                try:
                    return field[_UNICODE_PATH_HEADER.size :].decode()
                except UnicodeDecodeError:
                    return None
        at += _EXTRA_HEADER.size + size
    return None
