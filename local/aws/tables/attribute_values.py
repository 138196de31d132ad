"""Attribute values as DynamoDB accepts and stores them: validation, canonical numbers, and sizes.

Facts from the Developer Guide, "Supported data types and naming rules", "Constraints" and "DynamoDB item sizes and
formats"; error messages are those of real tables (the tests of github.com/architect/dynalite, and
github.com/paritysuite/dynamodb-conformance for nesting). moto stores numbers as sent and accepts most invalid values.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from moto.dynamodb.exceptions import MockValidationException, SerializationException
from moto.dynamodb.models.dynamo_type import DynamoType

Values = Mapping[str, Any]

#: Nesting levels of an attribute; a scalar has one.
MAX_LEVELS = 32
MAX_DIGITS = 38
MAX_EXPONENT, MIN_EXPONENT = 125, -130
#: Exact for every sum of two numbers, whose largest and smallest digits are at most 256 places apart.
EXACT = Context(prec=400)

_USUAL = re.compile(r"-?[1-9][0-9]{0,37}|0", re.ASCII)
_NUMERIC = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_SEVERAL = (
    "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
)
_INVALID = "One or more parameter values were invalid: "
_EMPTY_SET = {
    "SS": _INVALID + "An string set  may not be empty",
    "NS": _INVALID + "An number set  may not be empty",
    "BS": _INVALID + "Binary sets should not be empty",
}
_CONTAINER_BYTES, _ENTRY_BYTES = 3, 1


def canonical_values(values: Values) -> Values:
    """Canonical attributes by name; the given mapping itself if nothing changes. Raises MockValidationException."""
    changed: dict[str, Any] | None = None
    for name, value in values.items():
        if type(value) is dict and len(value) == 1 and type(value.get("S")) is str:
            continue  # most values are texts
        kept = canonical_value(value)
        if kept is not value:
            changed = dict(values) if changed is None else changed
            changed[name] = kept
    return values if changed is None else changed


def canonical_value(value: Any, level: int = 1) -> Any:
    """One canonical attribute value; the given one itself if nothing changes. Raises MockValidationException."""
    if (type(value) is not dict and not isinstance(value, Mapping)) or not value:
        raise MockValidationException(_EMPTY)
    if len(value) > 1:
        raise MockValidationException(_SEVERAL)
    ((kind, content),) = value.items()
    match kind:
        case "S":
            if type(content) is not str:
                raise _not_text(content)
            return value
        case "B" | "BOOL":
            return value
        case "N":
            number = canonical_number(content)
            return value if number == content else {"N": number}
        case "NULL":
            if content is not True:
                raise MockValidationException(_INVALID + "Null attribute value types must have the value of true")
            return value
        case "M" | "L":
            if level >= MAX_LEVELS:
                raise MockValidationException(
                    "Nesting Levels have exceeded supported limits: "
                    "Attributes in the item have nested levels beyond supported limit"
                )
            kept = _entries(content, level)
            return value if kept is content else {kind: kept}
        case "SS" | "NS" | "BS":
            return value if (members := _members(kind, content)) is content else {kind: members}
    raise MockValidationException(_EMPTY)


def canonical_number(text: Any) -> str:
    """The canonical form of a number: no exponent, no insignificant zeros. Raises MockValidationException."""
    if not isinstance(text, str) or not text:
        raise MockValidationException("The parameter cannot be converted to a numeric value")
    if _USUAL.fullmatch(text):
        return text
    if not _NUMERIC.fullmatch(text):
        raise MockValidationException(f"The parameter cannot be converted to a numeric value: {text}")
    try:
        return decimal_text(Decimal(text))
    except InvalidOperation:  # an exponent beyond those of the decimal module
        raise MockValidationException(f"The parameter cannot be converted to a numeric value: {text}") from None


def decimal_text(number: Decimal) -> str:
    """The canonical form of a computed number. Raises MockValidationException."""
    digits = "".join(map(str, number.as_tuple().digits)).lstrip("0")
    if not digits:
        return "0"
    if len(digits.rstrip("0")) > MAX_DIGITS:
        raise MockValidationException("Attempting to store more than 38 significant digits in a Number")
    if number.adjusted() > MAX_EXPONENT:
        raise MockValidationException(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        )
    if number.adjusted() < MIN_EXPONENT:
        raise MockValidationException(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    plain = format(number, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def number_sum(left: str, right: str) -> str:
    """The result of ADD. Raises MockValidationException: it can't be stored."""
    return decimal_text(EXACT.add(Decimal(left), Decimal(right)))


def keep_canonical(value: DynamoType) -> None:
    """Make the numbers in a value that moto computed canonical, in place."""
    if value.type == "N":
        value.value = canonical_number(value.value)
    elif value.type == "M":
        for entry in value.value.values():
            keep_canonical(entry)
    elif value.type == "L":
        for entry in value.value:
            keep_canonical(entry)


def item_size(attributes: Values) -> int:
    """Bytes of an item in DynamoDB's JSON, with the names of its attributes."""
    size = 0
    for name, value in attributes.items():
        text = value.get("S")
        size += len(name) if name.isascii() else len(name.encode())
        size += len(text) if text is not None and text.isascii() else value_size(value)
    return size


def value_size(value: Values) -> int:
    """Bytes of one attribute value."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return _text_size(content)
        case "N":
            return _number_size(content)
        case "B":
            return _binary_size(content)
        case "M":
            entries = sum(_text_size(name) + value_size(entry) + _ENTRY_BYTES for name, entry in content.items())
            return _CONTAINER_BYTES + entries
        case "L":
            return _CONTAINER_BYTES + sum(value_size(entry) + _ENTRY_BYTES for entry in content)
        case "SS" | "NS" | "BS":
            size = {"S": _text_size, "N": _number_size, "B": _binary_size}[kind[0]]
            return sum(size(member) for member in content)
    return 1


def _not_text(content: Any) -> SerializationException:
    """JSON that a client wouldn't send (DynamoDB's JSON parser answers before the request is looked at)."""
    if isinstance(content, dict | list):
        kind = "map" if isinstance(content, dict) else "list"
        return SerializationException(f"Start of structure or {kind} found where not expected")
    kind = "NUMBER" if not isinstance(content, bool) else str(content).upper()
    return SerializationException(f"{kind}_VALUE cannot be converted to String")


def _entries(content: Any, level: int) -> Any:
    if isinstance(content, Mapping):
        changed: dict[str, Any] | None = None
        for name, entry in content.items():
            if not name:
                raise MockValidationException(_INVALID + "Empty attribute name")
            if type(entry) is dict and len(entry) == 1 and type(entry.get("S")) is str:
                continue
            kept = canonical_value(entry, level + 1)
            if kept is not entry:
                changed = dict(content) if changed is None else changed
                changed[name] = kept
        return content if changed is None else changed
    kept_entries = [canonical_value(entry, level + 1) for entry in content]
    same = all(kept is entry for kept, entry in zip(kept_entries, content, strict=True))
    return content if same else kept_entries


def _members(kind: str, content: Any) -> Any:
    if not content:
        raise MockValidationException(_EMPTY_SET[kind])
    kept = [canonical_number(member) for member in content] if kind == "NS" else content
    if len(set(kept)) != len(kept):
        listed = "" if kind == "NS" else f" [{', '.join(map(str, kept))}]"
        raise MockValidationException(f"{_INVALID}Input collection{listed} contains duplicates.")
    return content if kept == content else kept


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _number_size(text: str) -> int:
    """One byte per two significant digits, one more, and one for a minus sign."""
    digits = text.replace("-", "").replace(".", "").strip("0")
    return 1 + (len(digits) + 1) // 2 + text.startswith("-")


def _binary_size(content: str | bytes) -> int:
    return len(content if isinstance(content, bytes) else base64.b64decode(content))
