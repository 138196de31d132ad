"""ULIDs: ids that sort by time. 48 bits of milliseconds, 80 of randomness (github.com/ulid/spec)."""

from __future__ import annotations

from handlers.core.errors import ValidationError

#: Crockford's base 32.
ULID_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ULID_CHARS = 26
_ALLOWED = frozenset(ULID_ALPHABET)
ULID_TIME_CHARS = 10
ULID_RANDOM_BYTES = 10


def ulid(milliseconds: int, randomness: bytes) -> str:
    """An id that sorts by time. ``randomness``: ten bytes."""
    number = (milliseconds << 80) | int.from_bytes(randomness)
    return "".join(ULID_ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5))


def is_ulid(text: str) -> bool:
    """Whether a text has the form of a ULID."""
    return len(text) == ULID_CHARS and _ALLOWED.issuperset(text)


def check_ulid(text: str) -> None:
    """Raises ValidationError naming ``ulid``."""
    if not is_ulid(text):
        raise ValidationError("ulid", text, f"{ULID_CHARS} characters of {ULID_ALPHABET}")
