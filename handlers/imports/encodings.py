"""Which encoding a file has: by its first bytes, by a name that the caller gives, or by what decodes as a whole."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import BinaryIO

from handlers.errors import shown
from handlers.imports.errors import UNKNOWN_ENCODING, ImportRefused

UTF_8 = "utf-8"
UTF_8_BOM = "utf-8-sig"
UTF_16 = "utf-16"
UTF_16_LE = "utf-16-le"
UTF_16_BE = "utf-16-be"
CP932 = "cp932"
EUC_JP = "euc_jp"
KNOWN = "UTF-8, UTF-16, CP932 (Shift_JIS) and EUC-JP"

#: What a caller may say, without case, ``-`` and ``_``. CP932 is Shift_JIS as Windows writes it, a superset.
_NAMES = {
    "utf8": UTF_8,
    "utf8sig": UTF_8_BOM,
    "utf16": UTF_16,
    "utf16le": UTF_16_LE,
    "utf16be": UTF_16_BE,
    "cp932": CP932,
    "windows31j": CP932,
    "ms932": CP932,
    "shiftjis": CP932,
    "sjis": CP932,
    "eucjp": EUC_JP,
}
#: UTF-32's little-endian mark begins with that of UTF-16.
_FOREIGN_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    b"\x84\x31\x95\x33": "GB 18030",
    b"\x2b\x2f\x76": "UTF-7",
}
#: What Python's CP932 makes of bytes that Windows-31J doesn't have.
_NOT_CP932 = re.compile("[\x80\xa0\uf8f0-\uf8f3]")
_CHUNK = 256 * 1024
_HALF_WIDTH_KATAKANA = re.compile("[\uff61-\uff9f]")
_NOT_ASCII = re.compile("[^\x00-\x7f]+")

Open = Callable[[], BinaryIO]


def encoding_named(name: str) -> str:
    """The codec for a name that the caller gives. Raises ImportRefused."""
    codec = _NAMES.get(re.sub(r"[-_ ]", "", name.lower())) if isinstance(name, str) else None
    if codec is None:
        raise ImportRefused(UNKNOWN_ENCODING, f"encoding {shown(name)} is not read; known: {KNOWN}")
    return codec


def encoding_of_start(head: bytes) -> str | None:
    """By a byte order mark, or by the zero bytes of UTF-16. None: only the content tells.

    Raises:
        ImportRefused: the mark of an encoding that is not read, by its name.
    """
    for mark, name in _FOREIGN_MARKS.items():
        if head.startswith(mark):
            raise refused(name)
    if head.startswith(codecs.BOM_UTF8):
        return UTF_8_BOM
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return UTF_16
    # The header's names and delimiters are mostly ASCII, whose other byte is zero in UTF-16.
    even, odd = head[0:64:2], head[1:64:2]
    if odd.count(0) > len(odd) // 2:
        return UTF_16_LE
    if even.count(0) > len(even) // 2:
        return UTF_16_BE
    return None


def japanese_encoding(open_: Open) -> str:
    """CP932 or EUC-JP, for a file that is not UTF-8: the one in which all of it can be decoded.

    Where both can, the one that gives fewer half-width katakana: each byte of EUC-JP's kana and kanji is one in CP932.

    Raises:
        ImportRefused: neither, or the result doesn't look like Japanese.
    """
    found = [one for one in (_decoded(open_, CP932), _decoded(open_, EUC_JP)) if one is not None]
    if not found:
        raise refused(None)
    best = min(found, key=lambda one: one.half_width)
    # Latin text has single accented letters, Japanese has words.
    if best.single > best.runs // 2:
        raise refused("Latin-1 or Windows-1252")
    return best.encoding


class _Sample:
    """What a file looks like in one encoding."""

    def __init__(self, encoding: str) -> None:
        self.encoding = encoding
        self.half_width = self.runs = self.single = 0

    def add(self, text: str) -> None:
        self.half_width += len(_HALF_WIDTH_KATAKANA.findall(text))
        lengths = [len(run) for run in _NOT_ASCII.findall(text)]
        self.runs += len(lengths)
        self.single += lengths.count(1)


def _decoded(open_: Open, encoding: str) -> _Sample | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    sample = _Sample(encoding)
    with open_() as stream:
        try:
            while chunk := stream.read(_CHUNK):
                text = decoder.decode(chunk)
                if encoding == CP932 and _NOT_CP932.search(text):
                    return None
                sample.add(text)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return None
    return sample


def refused(name: str | None) -> ImportRefused:
    """The error for a file in an encoding that is not read; None: nobody knows which."""
    what = f"the file's encoding looks like {name}, which is not read" if name else "the file's encoding is not known"
    return ImportRefused(UNKNOWN_ENCODING, f"{what}; known: {KNOWN}. Save it as UTF-8, or name its encoding")
