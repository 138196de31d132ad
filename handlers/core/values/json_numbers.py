"""Numbers as the table keeps them.

DynamoDB keeps a number as decimal digits: at most 38 that count, 0 or from 1E-130 to
9.9999999999999999999999999999999999999E+125 in magnitude (Developer Guide, "Supported data types and naming rules",
Number). It answers without exponent and without what does not count: 1e23 comes back as 100000000000000000000000, 1.0
as 1, -0.0 as 0. So what is whole is an ``int`` here, however it was written.
"""

from __future__ import annotations

import math

MAX_DIGITS = 38
MIN_FLOAT = 1e-130
#: The first number that is too large.
TOO_LARGE = 10**126
ALLOWED = (
    f"a number that the table can store: at most {MAX_DIGITS} significant digits, "
    "0 or from 1E-130 to 9.99E+125 in magnitude"
)

_SURELY_KEPT = 10**MAX_DIGITS
#: Whole floats below are exact, so that their value is the number that ``repr`` writes.
_EXACT = 2.0**53


class NotKept(Exception):
    """The table can't keep the number. The text shows it, cut, however long it is."""


def whole(number: int) -> int:
    """An ``int`` (no subclass), if the table keeps it. Raises NotKept."""
    if -_SURELY_KEPT < number < _SURELY_KEPT:
        return number
    if not -TOO_LARGE < number < TOO_LARGE:
        raise NotKept(f"a whole number of about {number.bit_length() * 0.30103:.0f} digits")
    digits = str(abs(number))
    if len(digits.rstrip("0")) > MAX_DIGITS:
        raise NotKept(str(number))
    return number


def kept(number: float) -> int | float:
    """A ``float`` as the table gives it back. Raises NotKept."""
    if number.is_integer():
        if -_EXACT < number < _EXACT:
            return int(number)
        digits = from_text(repr(number))
        if not -TOO_LARGE < digits < TOO_LARGE:
            raise NotKept(repr(number))
        return digits
    if not math.isfinite(number) or -MIN_FLOAT < number < MIN_FLOAT:
        raise NotKept(repr(number))
    return number


def from_text(text: str) -> int | float:
    """The number that ``N`` holds: an ``int`` if it is whole, whatever the notation, else the nearest ``float``."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not number.is_integer():
        return number
    from decimal import Decimal  # only for 1.0, 1E+23 and their like: few workers see one

    exact = Decimal(text)
    nearest = int(exact)
    return nearest if nearest == exact else number


def added(left: float, right: float) -> int | float:
    """The sum as the table counts: in decimal digits, where 0.1 + 0.2 is 0.3. Raises NotKept."""
    if type(left) is int and type(right) is int:
        return whole(left + right)
    from decimal import Context, Decimal  # as in ``from_text``

    # Two numbers of 38 digits, 256 places apart: nothing is rounded away before it is looked at.
    total = Context(prec=400).add(Decimal(repr(left)), Decimal(repr(right)))
    if len(total.normalize(Context(prec=400)).as_tuple().digits) > MAX_DIGITS:
        raise NotKept(str(total))
    number = from_text(str(total))
    return whole(number) if isinstance(number, int) else kept(number)
