"""Scores text as Japanese, Chinese or Korean in bits: minus the binary logarithm of the text's probability.

The code tables are grouped by frequency (JIS X 0208, GB 2312 and Big5 have two levels of ideographs, KS X 1001 only the
syllables in use), and text in another encoding hits them at random. A model is each class's share of a text's
characters, divided by the size of the class.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache

from handlers.imports.encodings.catalogue import BIG5_HKSCS, CP932, CP949, EUC_JP, GB18030
from handlers.imports.encodings.ideographs import FREQUENT, TAUGHT

KANA = frozenset(map(chr, (*range(0x3041, 0x3095), *range(0x30A1, 0x30FB), 0x30FC)))
_HALF_WIDTH = frozenset(map(chr, range(0xFF61, 0xFFA0)))
_PUNCTUATION = frozenset("\u3000、。，．・：；？！「」『』（）〔〕［］｛｝〈〉《》【】…‥—―～〜·“”‘’々〇") | frozenset(
    map(chr, (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)))
)
#: Bits of a character in no class, and of private-use code points.
RARE, PRIVATE = 22.0, 30.0

Model = Mapping[str, float]


def bits(codec: str, words: Iterable[str], *, most: int | None = None) -> float:
    """Total bits of the words; fewer is more plausible. ``most``: how often a character counts at most, so that one in
    every word doesn't dominate.
    """
    counts = Counter(one for word in words for one in word if one > "\x7f")
    if most is not None:
        counts = Counter({one: min(number, most) for one, number in counts.items()})
    return min(sum(number * _cost(one, model) for one, number in counts.items()) for model in _models(codec))


def _cost(one: str, model: Model) -> float:
    return model.get(one, PRIVATE if "\ue000" <= one <= "\uf8ff" else RARE)


@cache
def _models(codec: str) -> tuple[Model, ...]:
    """Models for sentences and for names, which have more, and rarer, ideographs."""
    if codec in (CP932, EUC_JP):
        level_1, level_2 = _table(EUC_JP, 0xB0, 0xCF), _table(EUC_JP, 0xD0, 0xF4)
        sets: tuple[frozenset[str], ...] = (KANA, TAUGHT, level_1, _PUNCTUATION, _HALF_WIDTH, level_2)
        shares: tuple[tuple[float, ...], ...] = (
            (0.54, 0.33, 0.08, 0.04, 0.01, 0.005),
            (0.1, 0.74, 0.12, 0.02, 0.01, 0.01),
        )
    elif codec == GB18030:
        level_1, level_2 = _table("gb2312", 0xB0, 0xD7), _table("gb2312", 0xD8, 0xF7)
        sets = (FREQUENT, level_1, _PUNCTUATION, level_2, _table("big5", 0xA4, 0xC6), KANA)
        shares = (0.7, 0.22, 0.04, 0.02, 0.02, 0.002), (0.45, 0.45, 0.02, 0.03, 0.05, 0.002)
    elif codec == BIG5_HKSCS:
        sets = (_table("big5", 0xA4, 0xC6), _PUNCTUATION, _table("big5", 0xC9, 0xF9), KANA)
        shares = ((0.94, 0.04, 0.02, 0.002),)
    else:
        assert codec == CP949
        sets = (_table("euc_kr", 0xB0, 0xC8), _PUNCTUATION, _table("euc_kr", 0xA4, 0xA4), _table("euc_kr", 0xCA, 0xFD))
        shares = ((0.95, 0.03, 0.003, 0.005),)
    return tuple(_model(sets, one) for one in shares)


def _model(classes: Iterable[frozenset[str]], shares: Iterable[float]) -> Model:
    """The bits of each character; a class excludes the characters of the classes before it."""
    model: dict[str, float] = {}
    for characters, share in zip(classes, shares, strict=True):
        own = characters - model.keys()
        model.update(dict.fromkeys(own, math.log2(len(own) / share)))
    return model


@cache
def _table(codec: str, first: int, last: int) -> frozenset[str]:
    """The two-byte characters whose first byte is in the range."""
    pairs = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in range(0x40, 0xFF))
    return frozenset(one for pair in pairs if len(one := pair.decode(codec, "ignore")) == 1 and one > "\x7f")
