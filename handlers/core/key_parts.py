"""Validation of the parts of keys: kind, tenant, type, code.

``check_part`` accepts everything that a stored key may contain, so that every existing row can be read.
``check_new_part`` is stricter, for callers that publish or import: parts that look the same must be the same (decision
record 0145).
"""

from __future__ import annotations

import re

from handlers.core.errors import SHOWN_CHARS, ValidationError

SEPARATOR = "#"
VERSION_SEPARATOR = "@"
#: Zero-width characters that Python doesn't count as blanks: ZERO WIDTH SPACE, WORD JOINER, and the byte order mark,
#: with which files may start (Unicode Standard, section 23.2, "Layout Controls").
NO_WIDTH = "\u200b\u2060\ufeff"

#: Control characters, which shells can't pass on or which end a line, and noncharacters: message attributes of SQS and
#: SNS accept none of them (SQS API reference, SendMessage), and a pasted key would be a different one.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ufffe\uffff]")

#: A fast path that covers nearly all parts: visible ASCII, with blanks only inside.
_PLAIN = re.compile(r"[!\"$-?A-~](?:[ !\"$-?A-~]*[!\"$-?A-~])?")


def check_part(field: str, value: object) -> str:
    """Return the part if it conforms to the key grammar. Raises ValidationError naming ``field``."""
    if type(value) is str and _PLAIN.fullmatch(value):
        return value
    if not isinstance(value, str) or not value or SEPARATOR in value or VERSION_SEPARATOR in value:
        raise ValidationError(field, value, "non-empty text without '#' and '@'")
    encoded(field, value)
    return str.__str__(value)  # the value of an enumeration's member, not its name


def check_new_part(field: str, value: object) -> str:
    """Return the part if a caller may use it: also without control characters and leading or trailing blanks, and in
    Unicode normalization form C.

    Raises:
        ValidationError: naming ``field``, and the function that makes the part valid.
    """
    if type(value) is str and _PLAIN.fullmatch(value):
        return value
    part = check_part(field, value)
    if part[0].isspace() or part[-1].isspace() or part[0] in NO_WIDTH or part[-1] in NO_WIDTH:
        raise ValidationError(field, part, "text without leading or trailing blanks (use strip())")
    if _UNPRINTABLE.search(part):
        raise ValidationError(field, part, "text without control characters")
    if not part.isascii():
        import unicodedata  # a shared library that isn't needed for plain keys

        if not unicodedata.is_normalized("NFC", part):
            raise ValidationError(
                field,
                part,
                f"text in Unicode normalization form C, which {ascii(part)[:SHOWN_CHARS]} is not: "
                "unicodedata.normalize('NFC', text), or String.normalize() in JavaScript",
            )
    return part


def encoded(field: str, value: str) -> bytes:
    """Text as UTF-8. Raises ValidationError naming ``field``: half a surrogate pair has none."""
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise ValidationError(field, value, "text that can be encoded as UTF-8: no half of a surrogate pair") from None
