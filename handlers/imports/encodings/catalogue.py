"""The supported encodings: their names, byte order marks, and the invalid bytes that Python's codecs accept.

``detection`` finds the encoding of a file without a named encoding or mark (decision 0150).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from typing import BinaryIO

from handlers.core.errors import shown
from handlers.core.light_dataclasses import dataclass
from handlers.imports.errors import UNKNOWN_ENCODING, ImportRefused

UTF_8 = "utf-8"
UTF_8_BOM = "utf-8-sig"
UTF_16 = "utf-16"
UTF_16_LE = "utf-16-le"
UTF_16_BE = "utf-16-be"
UTF_32 = "utf-32"
CP932 = "cp932"
EUC_JP = "euc_jp"
ISO_2022_JP = "iso2022_jp"
GB18030 = "gb18030"
BIG5_HKSCS = "big5hkscs"
CP949 = "cp949"

Open = Callable[[], BinaryIO]


@dataclass(frozen=True)
class Encoding:
    """``name``: in jobs and messages. ``codec``: Python's. ``aliases``: other names that callers use.

    ``wider``: a superset in which files that claim this encoding often really are.
    """

    name: str
    codec: str
    aliases: tuple[str, ...] = ()
    wider: str | None = None


def _windows(number: int, *aliases: str) -> Encoding:
    return Encoding(f"CP{number}", f"cp{number}", (f"windows{number}", str(number), *aliases))


def _dos(number: int) -> Encoding:
    return Encoding(f"CP{number}", f"cp{number}", (f"ibm{number}", str(number)))


def _iso(part: int, *aliases: str, wider: str | None = None) -> Encoding:
    return Encoding(f"ISO-8859-{part}", f"iso8859-{part}", aliases, wider)


#: All encodings that can be named. CP932 is Microsoft's Shift_JIS, GB18030 includes GBK and GB 2312.
ENCODINGS = (
    Encoding("UTF-8", UTF_8, ("utf8sig", "utf8bom", "65001", "cp65001")),
    Encoding("UTF-16", UTF_16),
    Encoding("UTF-16LE", UTF_16_LE),
    Encoding("UTF-16BE", UTF_16_BE),
    Encoding("UTF-32", UTF_32),
    Encoding("UTF-32LE", "utf-32-le"),
    Encoding("UTF-32BE", "utf-32-be"),
    Encoding("CP932", CP932, ("windows31j", "ms932", "shiftjis", "sjis", "xsjis", "cswindows31j")),
    Encoding("EUC-JP", EUC_JP, ("ujis",)),
    Encoding("ISO-2022-JP", ISO_2022_JP, ("jis",)),
    Encoding("GB18030", GB18030, ("gbk", "gb2312", "cp936", "936", "ms936", "euccn")),
    Encoding("Big5", "big5", wider="CP950 or Big5-HKSCS"),
    Encoding("CP950", "cp950", ("950", "ms950"), wider="Big5-HKSCS"),
    Encoding("Big5-HKSCS", BIG5_HKSCS),
    Encoding("EUC-KR", "euc_kr", ("ksc5601", "ksx1001"), wider="CP949"),
    Encoding("CP949", CP949, ("uhc", "ms949", "windows949", "949")),
    Encoding("ISO-2022-KR", "iso2022_kr"),
    _windows(1252),
    _windows(1250),
    _windows(1251),
    _windows(1253),
    _windows(1254),
    _windows(1255),
    _windows(1256),
    _windows(1257),
    _windows(1258),
    _windows(874, "tis620", "iso885911"),
    _iso(1, "latin1", "l1", wider="CP1252"),
    _iso(2, "latin2", wider="CP1250"),
    _iso(3, "latin3"),
    _iso(4, "latin4"),
    _iso(5),
    _iso(6, wider="CP1256"),
    _iso(7, wider="CP1253"),
    _iso(8, wider="CP1255"),
    _iso(9, "latin5", wider="CP1254"),
    _iso(10, "latin6"),
    _iso(13, "latin7", wider="CP1257"),
    _iso(14, "latin8"),
    _iso(15, "latin9", wider="CP1252"),
    _iso(16, "latin10"),
    Encoding("KOI8-R", "koi8_r"),
    Encoding("KOI8-U", "koi8_u"),
    *(_dos(number) for number in (437, 737, 775, 850, 852, 855, 857, 858, 862, 866)),
    Encoding("Mac Roman", "mac_roman", ("macintosh",)),
    Encoding("Mac Central European", "mac_latin2", ("maccentraleurope", "xmacce")),
    Encoding("Mac Cyrillic", "mac_cyrillic", ("xmaccyrillic",)),
    Encoding("Mac Greek", "mac_greek", ("xmacgreek",)),
)
KNOWN = ", ".join(encoding.name for encoding in ENCODINGS)

_BY_CODEC = {encoding.codec: encoding for encoding in ENCODINGS} | {UTF_8_BOM: ENCODINGS[0]}
#: UTF-32's little-endian mark starts with that of UTF-16, so the longer marks are first.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (b"\x84\x31\x95\x33", GB18030),
    (codecs.BOM_UTF8, UTF_8_BOM),
    (codecs.BOM_UTF16_LE, UTF_16_LE),
    (codecs.BOM_UTF16_BE, UTF_16_BE),
)
_UTF_7 = re.compile(rb"\+/v[89+/]")
_NEEDS_MARK = (UTF_16, UTF_32)
#: Python decodes bytes that an encoding doesn't assign to C1 code points (such as 0x92 of CP1252 in ISO-8859-1).
_CONTROLS = re.compile("[\x80-\x9f]")
#: For CP932, also 0xA0, 0xFD, 0xFE, 0xFF.
_NOT_CP932 = re.compile("[\x80-\xa0\uf8f0-\uf8f3]")


@dataclass(frozen=True)
class Start:
    """The codec that the first bytes show; ``is_marked``: by a byte order mark, which isn't part of the text."""

    codec: str
    is_marked: bool


def encoding_named(name: str) -> str:
    """The codec for a caller's name of an encoding. Raises ImportRefused."""
    codec = _BY_NAME.get(_plain(name)) if isinstance(name, str) else None
    if codec is None:
        raise ImportRefused(UNKNOWN_ENCODING, f"encoding {shown(name)} is not read; known: {KNOWN}")
    return codec


def check_utf_8(name: str) -> None:
    """For JSON Lines. Raises ImportRefused: the name is that of another encoding."""
    codec = encoding_named(name)
    if codec != UTF_8:
        raise ImportRefused(UNKNOWN_ENCODING, f"JSON Lines are UTF-8, not {name_of(codec)}; save the file as UTF-8")


def name_of(codec: str) -> str:
    """The display name of an encoding."""
    return _BY_CODEC[codec].name


def wider_than(codec: str) -> str | None:
    """The name of the encoding in which a file that claims this one often is."""
    return _BY_CODEC[codec].wider


def is_wide(codec: str) -> bool:
    """UTF-16 and UTF-32, in which a line end isn't a single byte."""
    return codec.startswith(("utf-16", "utf-32"))


def unit_of(codec: str) -> int:
    """Bytes per code unit."""
    return 2 if codec.startswith("utf-16") else 4 if codec.startswith("utf-32") else 1


def stray_in(codec: str) -> re.Pattern[str] | None:
    """Matches the characters that Python decodes from unassigned bytes; None: there are none."""
    if codec.startswith("utf"):
        return None
    return _NOT_CP932 if codec == CP932 else _CONTROLS


def encoding_of_start(head: bytes) -> Start | None:
    """The encoding by a byte order mark or by the zero bytes of UTF-16. None: only the content can show it.

    Raises:
        ImportRefused: the file has the mark of UTF-7.
    """
    if _UTF_7.match(head):
        raise ImportRefused(UNKNOWN_ENCODING, "the file begins with the mark of UTF-7, which is not read")
    for mark, codec in _MARKS:
        if head.startswith(mark):
            return Start(codec, True)
    # The header's names and delimiters are mostly ASCII, whose other byte is zero in UTF-16.
    even, odd = head[0:64:2], head[1:64:2]
    if 0 in odd and odd.count(0) > len(odd) // 2 and 0 not in even:
        return Start(UTF_16_LE, False)
    if 0 in even and even.count(0) > len(even) // 2 and 0 not in odd:
        return Start(UTF_16_BE, False)
    return None


def held_to(named: str, start: Start | None) -> str:
    """The codec for a file whose encoding is named, by its name and its first bytes.

    Raises:
        ImportRefused: the name is unknown, the file's mark is that of another encoding, or UTF-16 lacks its mark.
    """
    codec = encoding_named(named)
    if start is not None and (start.is_marked or codec in _NEEDS_MARK):
        if name_of(start.codec) in (name_of(codec), f"{name_of(codec)}LE", f"{name_of(codec)}BE"):
            return start.codec
        raise ImportRefused(
            UNKNOWN_ENCODING,
            f"the file begins as {name_of(start.codec)} does, but {name_of(codec)} is named as its encoding",
        )
    if codec in _NEEDS_MARK:
        name = name_of(codec)
        raise ImportRefused(UNKNOWN_ENCODING, f"the file has no byte order mark of {name}; name {name}LE or {name}BE")
    return codec


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_BY_NAME = {
    _plain(name): encoding.codec
    for encoding in ENCODINGS
    for name in (encoding.name, encoding.codec, *encoding.aliases)
}
