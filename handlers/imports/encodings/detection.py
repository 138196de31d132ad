"""Detects the encoding of a file that isn't UTF-8 if it is certain, else refuses it and lists candidates.

Only CP932 or EUC-JP can be certain, and only if the whole file can be decoded and no other supported encoding yields
plausible text: double-byte encodings are ruled out by how much worse their text is (``east_asian``), single-byte ones
by whether theirs has words (``words``). Everything else is refused (decision 0150).
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence

from handlers.core.light_dataclasses import dataclass, field
from handlers.imports.encodings import catalogue as encodings
from handlers.imports.encodings import words
from handlers.imports.encodings.catalogue import CP932, EUC_JP, GB18030, UTF_8, Open
from handlers.imports.encodings.east_asian import KANA, bits
from handlers.imports.encodings.ideographs import TAUGHT
from handlers.imports.encodings.places import Place, blocks_of, first_bad
from handlers.imports.errors import UNKNOWN_ENCODING, ImportRefused

#: The multi-byte encodings that are distinguished.
EAST_ASIAN = (CP932, EUC_JP, GB18030, encodings.BIG5_HKSCS, encodings.CP949)
#: By frequency of use: a message names only the first of several that yield the same text.
SINGLE_BYTE = tuple(
    one.codec
    for one in encodings.ENCODINGS
    if one.codec.startswith(("cp125", "cp874", "iso8859", "koi8", "cp4", "cp7", "cp8", "mac"))
)
#: The margin by which Japanese must be more probable: a million to one. Chinese that fits CP932 has no character of
#: GB 2312, which is rare in itself.
MARGIN_BITS = {CP932: 14.0, EUC_JP: 20.0}
#: Required number of different kana or common kanji, so that a single character isn't evidence.
EVIDENCE = 2
MOST_OF_ONE = 2
#: A text has no words if more than one in four is contradicted, or this many are.
CONTRADICTED, MOST_CONTRADICTIONS = 4, 8
#: Size of the sample: different words, and their bytes.
MOST_WORDS, MOST_BYTES = 4_000, 200_000
MOST_NAMED = 8
#: Bytes below 0x40 other than digits are never part of a multi-byte character (digits are, in GB18030).
_WORD = re.compile(rb"[^\x00-\x2f\x3a-\x3f]*[\x80-\xff][^\x00-\x2f\x3a-\x3f]*")
_HIGH = bytes(range(0x80, 0x100))
_UNDECODED = re.compile("[\udc80-\udcff]+")


def certain_encoding(open_: Open) -> str:
    """The codec of a file that isn't UTF-8.

    Raises:
        ImportRefused: it isn't certain. The text says where the file isn't UTF-8, and what it could be.
    """
    sample = _Sample()
    sample.take(open_)
    not_utf_8 = first_bad(open_, UTF_8)
    assert not_utf_8 is not None
    if sample.is_mostly_utf_8:
        raise ImportRefused(
            UNKNOWN_ENCODING,
            f"the file is UTF-8, but not in {not_utf_8}. Fix it there, or save it as UTF-8 again",
        )
    readings = sample.readings()
    for codec in (CP932, EUC_JP):
        if codec in sample.whole and _is_certain(codec, readings):
            return codec
    could_be = _could_be(open_, sample, readings)
    raise ImportRefused(
        UNKNOWN_ENCODING,
        f"the file's encoding is not certain: it is not UTF-8 ({not_utf_8}){could_be}. Name its encoding (encoding of "
        "the import or of the strategy, --encoding), or save it as UTF-8",
    )


@dataclass
class _Sample:
    """``words``: those with bytes above ASCII, in order. ``whole``: Japanese encodings that decode the whole file."""

    words: dict[bytes, None] = field(default_factory=dict)
    whole: set[str] = field(default_factory=lambda: {CP932, EUC_JP})
    high_bytes: int = 0
    undecoded: int = 0
    _size: int = 0

    def take(self, open_: Open) -> None:
        """Read the file once."""
        utf_8 = codecs.getincrementaldecoder(UTF_8)("surrogateescape")
        japanese = {codec: codecs.getincrementaldecoder(codec)() for codec in self.whole}
        left = b""
        with open_() as stream:
            for block in blocks_of(stream):
                self._count(block, utf_8.decode(block))
                self._narrow(japanese, block)
                left = self._collect(left + block)
        self._count(b"", utf_8.decode(b"", final=True))
        self._narrow(japanese, b"", final=True)
        self._collect(left + b"\n")

    @property
    def is_mostly_utf_8(self) -> bool:
        """At least half of the bytes above ASCII form characters of UTF-8."""
        return 0 < self.undecoded <= self.high_bytes - self.undecoded

    def readings(self) -> dict[str, list[str]]:
        """The words as decoded by each encoding that can decode all of them."""
        found = ((codec, _decoded(self.words, codec)) for codec in (*EAST_ASIAN, *SINGLE_BYTE))
        return {codec: reading for codec, reading in found if reading is not None}

    def _count(self, block: bytes, text: str) -> None:
        self.high_bytes += len(block) - len(block.translate(None, _HIGH))
        self.undecoded += sum(map(len, _UNDECODED.findall(text)))

    def _narrow(self, decoders: dict[str, codecs.IncrementalDecoder], block: bytes, *, final: bool = False) -> None:
        for codec in list(self.whole):
            stray = encodings.stray_in(codec)
            try:
                text = decoders[codec].decode(block, final=final)
            except UnicodeDecodeError:
                self.whole.discard(codec)
                continue
            if stray is not None and stray.search(text):
                self.whole.discard(codec)

    def _collect(self, raw: bytes) -> bytes:
        """Collect words; returns the rest, which may be a part of a word."""
        end = max(raw.rfind(b"\n"), raw.rfind(b"\r"), raw.rfind(b","), raw.rfind(b" ")) + 1
        if len(self.words) >= MOST_WORDS or self._size >= MOST_BYTES:
            return b""
        for match in _WORD.finditer(raw, 0, end or len(raw)):
            if match[0] not in self.words:
                self.words[match[0]] = None
                self._size += len(match[0])
                if len(self.words) >= MOST_WORDS or self._size >= MOST_BYTES:
                    break
        return raw[end:] if end else b""


def _decoded(sample: Iterable[bytes], codec: str) -> list[str] | None:
    stray = encodings.stray_in(codec)
    try:
        reading = [word.decode(codec) for word in sample]
    except UnicodeDecodeError:
        return None
    return None if stray is not None and any(map(stray.search, reading)) else reading


def _is_certain(codec: str, readings: dict[str, list[str]]) -> bool:
    reading = readings.get(codec)
    if reading is None:
        return False
    if any(_NOT_JAPANESE.search(word) for word in reading):
        return False
    evidence = {one for word in reading for one in word if one in KANA or one in TAUGHT}
    if len(evidence) < EVIDENCE:
        return False
    for rival, other in readings.items():
        if rival in EAST_ASIAN:
            # Between two Japanese encodings, different bytes form a character, so each occurrence counts.
            most = None if {codec, rival} == {CP932, EUC_JP} else MOST_OF_ONE
            if rival != codec and bits(rival, other, most=most) - bits(codec, reading, most=most) < MARGIN_BITS[codec]:
                return False
        elif _has_words(other):
            return False
    return True


#: Private-use characters, and half-width katakana inside a word of Latin letters, which is how accented letters of
#: Western encodings are decoded. For a file that has them on purpose, name the encoding.
_NOT_JAPANESE = re.compile("[\ue000-\uf8ff]|[A-Za-z][\uff61-\uff9f]+[A-Za-z]")


def _has_words(reading: Sequence[str]) -> bool:
    wrong = words.contradictions(reading)
    return wrong * CONTRADICTED <= len(reading) and wrong < MOST_CONTRADICTIONS and words.is_mostly_ascii(reading)


def _could_be(open_: Open, sample: _Sample, readings: dict[str, list[str]]) -> str:
    """Text that lists what the file could be, best first."""
    many = sorted((bits(codec, readings[codec]), codec) for codec in EAST_ASIAN if codec in readings)
    names = [encodings.name_of(codec) for cost, codec in many if cost - many[0][0] < 40]
    known: list[list[str]] = []
    for codec in SINGLE_BYTE:
        reading = readings.get(codec)
        if (
            reading is not None
            and reading not in known
            and words.contradictions(reading) * CONTRADICTED <= len(reading)
        ):
            known.append(reading)
            names.append(encodings.name_of(codec))
    if names:
        return f", but could be {_listed(names[:MOST_NAMED])}"
    return _nearly(open_, sample)


def _nearly(open_: Open, sample: _Sample) -> str:
    """Text that names the encoding that can decode nearly all words, and where it fails."""
    known = list(sample.words)
    best: tuple[int, float, str] | None = None
    for codec in EAST_ASIAN:
        reading = [one[0] for word in known if (one := _decoded([word], codec)) is not None]
        failed = len(known) - len(reading)
        if reading and failed <= max(1, len(known) // 10):
            best = min(best or (failed + 1, 0.0, ""), (failed, bits(codec, reading), codec))
    if best is None:
        return ", nor any other that can be named"
    place: Place | None = first_bad(open_, best[2])
    return f", but could be {encodings.name_of(best[2])} except for an error in {place}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
