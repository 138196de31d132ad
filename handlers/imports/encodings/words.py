"""Checks whether decoded text can be words: letters of one language, consistent case, plausible punctuation.

For single-byte encodings, which can decode almost any bytes. Lenient: anything plausible is accepted, since this only
makes a file's encoding uncertain.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable

#: Letters beyond a to z, by language.
_LATIN = (
    "àâæçéèêëîïôœùûüÿ",  # French
    "äöüßé",  # German
    "áéíñóúüçºª",  # Spanish, Galician
    "áâãàçéêíóôõúü",  # Portuguese
    "àèéìíîòóùú",  # Italian
    "àçéèíïóòúü·",  # Catalan
    "áâäàéèëêíïîóöôòúüûĳ",  # Dutch, Afrikaans
    "æøåéèêëòóôàäöü",  # Danish, Norwegian
    "åäöéàüšžæø",  # Swedish, Finnish
    "áðéíóúýþæöø",  # Icelandic, Faroese
    "äõöüšž",  # Estonian
    "áéíóöőúüűõû",  # Hungarian; õ and û stand for ő and ű in encodings without these
    "ąćęłńóśźżé",  # Polish
    "áčďéěíňóřšťúůýžäöüľĺôŕë",  # Czech, Slovak
    "čćđšžä",  # Croatian, Slovene, Bosnian
    "ăâîșşțţ",  # Romanian
    "çğıİöşüâîû",  # Turkish
    "āčēģīķļņšūžōŗ",  # Latvian
    "ąčęėįšųūž",  # Lithuanian
    "çëâ",  # Albanian
    "âêîôûŵŷáéíóúàèìòùäëïöü",  # Welsh, Irish
    "ċġħżàèìòù",  # Maltese
    "ĉĝĥĵŝŭ",  # Esperanto
    "àáâãèéêìíòóôõùúýăđĩũơư\u0300\u0301\u0303\u0309\u0323",  # Vietnamese
)
_CYRILLIC = (
    "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",  # Russian, Bulgarian
    "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",  # Ukrainian
    "абвгдеёжзійклмнопрстуўфхцчшыьэюя",  # Belarusian
    "абвгдђежзијклљмнњопрстћуфхцчџшѓѕќ",  # Serbian, Macedonian
)
_ALPHABETS = tuple(frozenset(letters) for letters in (*_LATIN, *_CYRILLIC))
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "THAI")
#: Thai writes some vowels before their consonant, the others and tone marks after it.
_THAI = re.compile("(?:[เ-ไ]?[ก-ฮ][ัิ-ฺ็-๎]{0,3}[ะาำๅๆฯ]*)+|[๐-๙]+")
#: Allowed sequences of marks, by class; L stands for a part of a word, N for a number.
_SHAPE = re.compile(
    r"[o'i]*-?(?:[LN]+(?:(?:i|-|')[LN]+)*[st]*(?:-[LN]+)*)[c']*|[pb]?N*[pt]?|[st]?N+[st]*|[oc'-]|b?[LN]+s*", re.ASCII
)
_MARKS = {
    **dict.fromkeys("“„«‹¿¡‚", "o"),
    **dict.fromkeys("”»›…", "c"),
    **dict.fromkeys("’‘´", "'"),
    **dict.fromkeys("·\xad", "i"),
    **dict.fromkeys("–—", "-"),
    **dict.fromkeys("™®©°ºª²³¹", "s"),
    **dict.fromkeys("%‰½¼¾", "t"),
    **dict.fromkeys("€£¥¢$§¶±×№µ", "p"),
    "•": "b",
}
#: Characters that separate words like a blank does (delimiters, paths).
_BLANKS = re.compile("[@\\[\\\\\\]_|\xa0]+")


def contradictions(words: Iterable[str]) -> int:
    """How many of the words can't be words of a language."""
    return sum(not can_be(word) for word in words)


def is_mostly_ascii(words: Iterable[str]) -> bool:
    """Whether Latin text has a plausible share of letters without diacritics; other scripts always pass."""
    plain = marked = 0
    for word in words:
        for one in word:
            if one.isascii():
                plain += one.isalpha()
            elif one.isalpha():
                if not unicodedata.name(one, "").startswith("LATIN"):
                    return True
                marked += 1
    return marked <= 2 * plain


def can_be(text: str) -> bool:
    """Whether each part may be a word, a number, or punctuation."""
    return all(_part(part) for part in _BLANKS.split(text) if not part.isascii())


def _part(part: str) -> bool:
    if _THAI.fullmatch(part):
        return not _is_monotonous(part)
    shape = []
    letters = ""
    for one in part:
        if (one.isalpha() and one not in _MARKS) or unicodedata.combining(one):
            letters += one
            continue
        if letters:
            shape.append("L" if _spelled(letters) else "x")
            letters = ""
        shape.append("N" if one.isascii() and one.isdigit() else _MARKS.get(one, "x"))
    if letters:
        shape.append("L" if _spelled(letters) else "x")
    return bool(_SHAPE.fullmatch("".join(shape)))


def _spelled(letters: str) -> bool:
    """Whether letters are of one script and one language, with consistent case."""
    foreign = [one for one in letters if not one.isascii()]
    if not foreign:
        return True
    scripts = {_script(one) for one in foreign if not unicodedata.combining(one)}
    if len(scripts) != 1 or None in scripts:
        return False
    script = scripts.pop()
    if script != "LATIN" and any(one.isascii() for one in letters):
        return False
    if script in ("LATIN", "CYRILLIC") and not any(alphabet >= set("".join(foreign).lower()) for alphabet in _LOWER):
        return False
    return not _changes_case(letters) and not (script != "LATIN" and _is_monotonous(letters))


def _script(letter: str) -> str | None:
    name = unicodedata.name(letter, "").partition(" ")[0]
    return name if name in _SCRIPTS else "LATIN" if letter in "ªº" else None


def _changes_case(letters: str) -> bool:
    """From lower to upper case inside the word, one of them non-ASCII. Pure ASCII is allowed: product names."""
    pairs = itertools.pairwise(letters)
    return any(a.islower() and b.isupper() and a != "ß" and not (a.isascii() and b.isascii()) for a, b in pairs)


def _is_monotonous(letters: str) -> bool:
    """Every second letter is the same, like the lead bytes of two-byte characters."""
    return len(letters) >= 8 and 1 in (len(set(letters[::2])), len(set(letters[1::2])))


_LOWER = tuple(frozenset("".join(alphabet).lower()) for alphabet in _ALPHABETS)
