"""Numbers as DynamoDB stores them.

DynamoDB stores a number as decimal digits: at most 38 significant ones, 0 or from 1E-130 to
9.9999999999999999999999999999999999999E+125 in magnitude (Developer Guide, "Supported data types and naming rules",
Number). It returns numbers without exponent and insignificant zeros: 1e23 as 100000000000000000000000, 1.0 as 1,
-0.0 as 0. So a whole number is an ``int`` here, whatever its notation.
"""

from __future__ import annotations

import math

MAX_DIGITS = 38
MIN_FLOAT = 1e-130
#: The smallest number that is too large.
TOO_LARGE = 10**126
ALLOWED = (
    f"a number that the table can store: at most {MAX_DIGITS} significant digits, "
    "0 or from 1E-130 to 9.99E+125 in magnitude"
)

_SURELY_KEPT = 10**MAX_DIGITS
#: Whole floats below this are exact: their value is the number that ``repr`` writes.
_EXACT = 2.0**53


class NotKept(Exception):
    """The table can't store the number. The text shows it, cut if it is long."""


def whole(number: int) -> int:
    """Return an ``int`` (not a subclass) if the table can store it exactly. Raises NotKept."""
    if -_SURELY_KEPT < number < _SURELY_KEPT:
        return number
    if not -TOO_LARGE < number < TOO_LARGE:
        raise NotKept(f"a whole number of about {number.bit_length() * 0.30103:.0f} digits")
    digits = str(abs(number))
    if len(digits.rstrip("0")) > MAX_DIGITS:
        raise NotKept(str(number))
    return number


def kept(number: float) -> int | float:
    """A ``float`` as the table returns it. Raises NotKept."""
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
    """The number in an ``N`` attribute: an ``int`` if it is whole, in any notation, else the nearest ``float``."""
    try:
        return int(text)
    except ValueError:
        number = float(text)
    if not number.is_integer():
        return number
    from decimal import Decimal  # only for the likes of 1.0 and 1E+23, which are rare

    exact = Decimal(text)
    nearest = int(exact)
    return nearest if nearest == exact else number


def added(left: float, right: float) -> int | float:
    """The sum as the table computes it: in decimal digits, where 0.1 + 0.2 is 0.3. Raises NotKept."""
    if type(left) is int and type(right) is int:
        return whole(left + right)
    from decimal import Context, Decimal  # as in ``from_text``

    # Two numbers of 38 digits, 256 places apart: precise enough not to round before the check.
    total = Context(prec=400).add(Decimal(repr(left)), Decimal(repr(right)))
    if len(total.normalize(Context(prec=400)).as_tuple().digits) > MAX_DIGITS:
        raise NotKept(str(total))
    number = from_text(str(total))
    return whole(number) if isinstance(number, int) else kept(number)
