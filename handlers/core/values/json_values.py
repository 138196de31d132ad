"""Defines which values may be stored: JSON that the tables return unchanged (decision record 0146).

Application values are validated by ``check_json`` and ``check_attributes``, which name the field, and again by the
table port (``plain_item``, ``plain_value``), so that the same holds for handlers that write to tables themselves. All
return a copy of plain types: an ``IntEnum`` becomes its number, an ``OrderedDict`` a ``dict``, 1.0 becomes 1.
"""

from __future__ import annotations

import json
from typing import Any

from handlers.core.errors import ValidationError
from handlers.core.values import json_numbers

#: Nesting depth of lists and objects. DynamoDB has 32 levels (Developer Guide, "Constraints"), including the scalar:
#: tables accept a scalar in 31 maps and reject one in 32 (github.com/paritysuite/dynamodb-conformance, "Nesting depth",
#: measured in eu-west-2).
MAX_LEVELS = 31
#: Bytes of an item, including its names (Developer Guide, "Constraints"): 400 KB.
MAX_ITEM_BYTES = 400 * 1024
#: Bytes of UTF-8 of a name (the same page).
MAX_NAME_BYTES = 65_535

_JSON = "a JSON value: dict, list, str, int, float, bool or None"
_TEXT = "text that can be encoded as UTF-8: no half of a surrogate pair"
_NAME = f"names that are text of 1 to {MAX_NAME_BYTES} bytes of UTF-8"
_SAFE = 10**json_numbers.MAX_DIGITS
#: Bytes of a float as DynamoDB counts them: one per two digits, one more, and one for the sign.
_FLOAT_BYTES = 11
#: JSON is at most this many times as long as DynamoDB counts. The worst case is 1e125 with 126 digits for a float's
#: bytes (``\u0000`` is six for one).
_JSON_FACTOR = 12
#: Overhead of a list or an object, and of each of its entries.
_CONTAINER_BYTES = 3
_ENTRY_BYTES = 1


class _Refused(Exception):
    """``steps``: the path to the value, in reverse."""

    def __init__(self, value: object, allowed: str) -> None:
        super().__init__(allowed)
        self.value = value
        self.allowed = allowed
        self.steps: list[str] = []

    def naming(self, field: str) -> ValidationError:
        path = field + "".join(reversed(self.steps))
        return ValidationError(path.removeprefix("."), self.value, self.allowed)


def check_attributes(value: object, max_bytes: int) -> dict[str, Any]:
    """A plain copy of a JSON object of at most ``max_bytes``.

    Raises:
        ValidationError: naming the path of the first value that is not allowed.
    """
    if not isinstance(value, dict):
        raise ValidationError("attributes", value, "a JSON object (dict)")
    checked: dict[str, Any] = check_json("attributes", value, max_bytes)
    return checked


def check_json(field: str, value: object, max_bytes: int) -> Any:
    """A plain copy of a JSON value of at most ``max_bytes``.

    Raises:
        ValidationError: naming the path of the invalid value.
    """
    try:
        plain, stored = _plain(value, MAX_LEVELS)
    except _Refused as refused:
        raise refused.naming(field) from None
    if stored * _JSON_FACTOR + _JSON_FACTOR > max_bytes:  # otherwise it surely fits
        size = len(json_bytes(plain))
        if size > max_bytes:
            raise ValidationError(field, f"{size} bytes", f"at most {max_bytes} bytes of JSON")
    return plain


def check_text(field: str, value: object, max_chars: int, *, min_chars: int = 0) -> str:
    """Plain text within the length limits that UTF-8 can encode. Raises ValidationError naming the field."""
    if not isinstance(value, str) or not min_chars <= len(value) <= max_chars:
        limits = f"{min_chars} to {max_chars}" if min_chars else f"at most {max_chars}"
        raise ValidationError(field, value, f"text of {limits} characters")
    return value if type(value) is str and value.isascii() else str(plain_value(field, value, 0))


def plain_value(field: str, value: object, levels: int = MAX_LEVELS) -> Any:
    """A plain copy of a value. Raises ValidationError naming the path of a value that a table can't store."""
    try:
        return _plain(value, levels)[0]
    except _Refused as refused:
        raise refused.naming(field) from None


def plain_item(item: object) -> dict[str, Any]:
    """A plain copy of a whole item.

    Raises:
        ValidationError: naming the attribute that a table can't store, or the item, if it is larger than 400 KB.
    """
    plain, size = sized_item(item)
    if size > MAX_ITEM_BYTES:
        raise ValidationError("item", f"{size} bytes", f"at most {MAX_ITEM_BYTES} bytes, names included")
    return plain


def sized_item(item: object) -> tuple[dict[str, Any], int]:
    """The copy and its bytes as DynamoDB counts them (Developer Guide, "DynamoDB item sizes and formats").

    Numbers may be overestimated, never underestimated. Raises like ``plain_item``, except for the size.
    """
    if not isinstance(item, dict):
        raise ValidationError("item", item, "a dict")
    try:
        plain, size = _object(item, MAX_LEVELS + 1)
    except _Refused as refused:
        raise refused.naming("") from None
    return plain, size - _CONTAINER_BYTES - _ENTRY_BYTES * len(plain)


def json_bytes(value: object) -> bytes:
    """Compact JSON in UTF-8, identical for equal content: the basis of sizes, limits and hashes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def storable_text(text: str) -> str:
    """Foreign text, such as an error's message, with escapes for characters that UTF-8 can't encode."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def same_json(left: object, right: object) -> bool:
    """Equality as JSON sees it: unlike Python's, ``True`` is not ``1``."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same_json(a, b) for a, b in zip(left, right, strict=True))
    return left == right


# -- internal: each returns the plain copy and its bytes as DynamoDB counts them -----------------------------------


def _plain(value: Any, levels: int) -> tuple[Any, int]:
    kind = type(value)
    if kind is str:
        return value, len(value) if value.isascii() else _text_bytes(value)
    if kind is int:
        return _whole(value)
    if kind is float:
        return _number(value)
    if kind is bool or value is None:
        return value, 1
    if kind is dict:
        return _object(value, levels)
    if kind is list:
        return _array(value, levels)
    return _of_subclass(value, levels)


def _of_subclass(value: Any, levels: int) -> tuple[Any, int]:
    """Convert subclasses, such as enumerations, to their plain values, ignoring overridden ``repr`` and ``str``."""
    if isinstance(value, str):
        return _plain(str.__str__(value), levels)
    if isinstance(value, int):
        return _whole(int.__index__(value))
    if isinstance(value, float):
        return _number(float.__float__(value))
    if isinstance(value, dict):
        return _object(value, levels)
    if isinstance(value, list):
        return _array(value, levels)
    raise _Refused(value, _JSON)


def _object(value: dict[Any, Any], levels: int) -> tuple[dict[str, Any], int]:
    if not levels:
        raise _Refused("...", f"at most {MAX_LEVELS} levels of nested lists and objects")
    plain: dict[str, Any] = {}
    size = _CONTAINER_BYTES + _ENTRY_BYTES * len(value)
    for name, entry in value.items():
        if type(name) is not str or not name or not name.isascii() or len(name) > MAX_NAME_BYTES:
            name, name_bytes = _checked_name(name)
            size += name_bytes
        else:
            size += len(name)
        kind = type(entry)
        if kind is str and entry.isascii():
            size += len(entry)
            plain[name] = entry
            continue
        if kind is int and -_SAFE < entry < _SAFE:
            size += 2 + entry.bit_length() // 6 + (entry < 0)
            plain[name] = entry
            continue
        try:
            plain[name], entry_bytes = _plain(entry, levels - 1)
        except _Refused as refused:
            refused.steps.append(f".{name}")
            raise
        size += entry_bytes
    return plain, size


def _array(value: list[Any], levels: int) -> tuple[list[Any], int]:
    if not levels:
        raise _Refused("...", f"at most {MAX_LEVELS} levels of nested lists and objects")
    plain: list[Any] = []
    size = _CONTAINER_BYTES + _ENTRY_BYTES * len(value)
    for index, entry in enumerate(value):
        if type(entry) is str and entry.isascii():
            size += len(entry)
            plain.append(entry)
            continue
        try:
            copied, entry_bytes = _plain(entry, levels - 1)
        except _Refused as refused:
            refused.steps.append(f"[{index}]")
            raise
        plain.append(copied)
        size += entry_bytes
    return plain, size


def _whole(value: int) -> tuple[int, int]:
    if not -_SAFE < value < _SAFE:
        try:
            json_numbers.whole(value)
        except json_numbers.NotKept as error:
            # Python refuses to convert a number of thousands of digits to text
            raise _Refused(value if value.bit_length() < 1_000 else str(error), json_numbers.ALLOWED) from None
    return value, 2 + value.bit_length() // 6 + (value < 0)


def _number(value: float) -> tuple[int | float, int]:
    try:
        return json_numbers.kept(value), _FLOAT_BYTES
    except json_numbers.NotKept:
        raise _Refused(value, json_numbers.ALLOWED) from None


def _text_bytes(value: str) -> int:
    try:
        return len(value.encode())
    except UnicodeEncodeError:
        raise _Refused(value, _TEXT) from None


def _checked_name(name: Any) -> tuple[str, int]:
    if not isinstance(name, str) or not name:
        raise _Refused(name, _NAME)
    plain = str.__str__(name)
    try:
        size = _text_bytes(plain)
    except _Refused:
        raise _Refused(name, _NAME) from None
    if size > MAX_NAME_BYTES:
        raise _Refused(f"{size} bytes", _NAME)
    return plain, size
