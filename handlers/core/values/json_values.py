"""What may be stored: JSON that the tables give back as it was. The one place that says so (decision record 0146).

Application values enter through ``check_json`` and ``check_attributes``, which name the field, and once more through
the table port (``plain_item``, ``plain_value``), which holds handlers that write tables of their own to the same. All
answer a copy of plain types: an ``IntEnum`` is its number, an ``OrderedDict`` a ``dict``, 1.0 is 1.
"""

from __future__ import annotations

import json
from typing import Any

from handlers.core.errors import ValidationError
from handlers.core.values import json_numbers

#: Lists and objects in each other. DynamoDB has 32 levels (Developer Guide, "Constraints"), of which a scalar is one
#: too: tables take a scalar in 31 maps and refuse one in 32 (github.com/paritysuite/dynamodb-conformance, "Nesting
#: depth", measured in eu-west-2).
MAX_LEVELS = 31
#: Bytes of an item, with its names (Developer Guide, "Constraints"): 400 KB.
MAX_ITEM_BYTES = 400 * 1024
#: Bytes of UTF-8 of a name (the same page).
MAX_NAME_BYTES = 65_535

_JSON = "a JSON value: dict, list, str, int, float, bool or None"
_TEXT = "text that can be encoded as UTF-8: no half of a surrogate pair"
_NAME = f"names that are text of 1 to {MAX_NAME_BYTES} bytes of UTF-8"
_SAFE = 10**json_numbers.MAX_DIGITS
#: Bytes of a float as DynamoDB counts them: two digits a byte, one more, and one for the sign.
_FLOAT_BYTES = 11
#: JSON is at most so many times as long as DynamoDB counts: the 126 digits of 1e125, for a float's bytes, are the worst
#: (``\u0000`` is six for one).
_JSON_FACTOR = 12
#: What a list or an object takes itself, and each of its entries.
_CONTAINER_BYTES = 3
_ENTRY_BYTES = 1


class _Refused(Exception):
    """``steps``: the way to the value, from its end."""

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
        ValidationError: naming the path of what is wrong.
    """
    try:
        plain, stored = _plain(value, MAX_LEVELS)
    except _Refused as refused:
        raise refused.naming(field) from None
    if stored * _JSON_FACTOR + _JSON_FACTOR > max_bytes:  # else no need to write it out
        size = len(json_bytes(plain))
        if size > max_bytes:
            raise ValidationError(field, f"{size} bytes", f"at most {max_bytes} bytes of JSON")
    return plain


def check_text(field: str, value: object, max_chars: int, *, min_chars: int = 0) -> str:
    """Plain text of so many characters, which UTF-8 has. Raises ValidationError naming the field."""
    if not isinstance(value, str) or not min_chars <= len(value) <= max_chars:
        limits = f"{min_chars} to {max_chars}" if min_chars else f"at most {max_chars}"
        raise ValidationError(field, value, f"text of {limits} characters")
    return value if type(value) is str and value.isascii() else str(plain_value(field, value, 0))


def plain_value(field: str, value: object, levels: int = MAX_LEVELS) -> Any:
    """A plain copy of a value. Raises ValidationError naming the path of what a table can't keep."""
    try:
        return _plain(value, levels)[0]
    except _Refused as refused:
        raise refused.naming(field) from None


def plain_item(item: object) -> dict[str, Any]:
    """A plain copy of a whole item.

    Raises:
        ValidationError: naming the attribute that a table can't keep, or the item, if it is larger than 400 KB.
    """
    plain, size = sized_item(item)
    if size > MAX_ITEM_BYTES:
        raise ValidationError("item", f"{size} bytes", f"at most {MAX_ITEM_BYTES} bytes, names included")
    return plain


def sized_item(item: object) -> tuple[dict[str, Any], int]:
    """The copy and its bytes as DynamoDB counts them (Developer Guide, "DynamoDB item sizes and formats").

    Numbers are counted rather high, never low. Raises as ``plain_item``, whatever the size.
    """
    if not isinstance(item, dict):
        raise ValidationError("item", item, "a dict")
    try:
        plain, size = _object(item, MAX_LEVELS + 1)
    except _Refused as refused:
        raise refused.naming("") from None
    return plain, size - _CONTAINER_BYTES - _ENTRY_BYTES * len(plain)


def json_bytes(value: object) -> bytes:
    """Compact JSON in UTF-8, the same for the same content: what sizes, limits and hashes are about."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def storable_text(text: str) -> str:
    """Text of others (the message of an error) with what UTF-8 lacks written out, so that it never gets in the way."""
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


# -- inside: each answers the plain copy and the bytes that DynamoDB counts for it ---------------------------------


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
    """Enumerations and others whose content is plain; whatever they override (``repr``, ``str``) has no say."""
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
            # one of thousands of digits has no text
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
