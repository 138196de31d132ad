"""What may stand in ``attributes``: JSON that DynamoDB stores without loss."""

from __future__ import annotations

import json
import math
from typing import Any

from handlers.errors import ValidationError

#: DynamoDB keeps 38 significant digits and magnitudes from 1E-130 to 9.99E+125, and 32 levels of
#: nesting (Developer Guide, "Supported data types" and "Quotas"); two levels are the row's own.
MAX_INT_DIGITS = 38
MIN_FLOAT = 1e-130
MAX_FLOAT = 9.9e125
MAX_DEPTH = 30


def check_attributes(value: object, max_bytes: int) -> dict[str, Any]:
    """The value as a JSON object of at most ``max_bytes``.

    Raises:
        ValidationError: naming the path of the first value that is not allowed.
    """
    if not isinstance(value, dict):
        raise ValidationError("attributes", value, "a JSON object (dict)")
    _check("attributes", value, 0)
    size = len(json_bytes(value))
    if size > max_bytes:
        raise ValidationError("attributes", f"{size} bytes", f"at most {max_bytes} bytes of JSON")
    return value


def check_json(field: str, value: object, max_bytes: int) -> Any:
    """Any JSON value of at most ``max_bytes``. Raises ValidationError naming the path of what is wrong."""
    _check(field, value, 0)
    size = len(json_bytes(value))
    if size > max_bytes:
        raise ValidationError(field, f"{size} bytes", f"at most {max_bytes} bytes of JSON")
    return value


def json_bytes(value: object) -> bytes:
    """Compact JSON in UTF-8, the same for the same content: what sizes, limits and hashes are about."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def as_stored(value: Any) -> Any:
    """The value as the table gives it back: DynamoDB keeps 1.0 as 1 (see ``handlers.store.values``)."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    if isinstance(value, dict):
        return {key: as_stored(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [as_stored(entry) for entry in value]
    return value


def _check(path: str, value: object, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValidationError(path, "...", f"at most {MAX_DEPTH} levels of nesting")
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _check_text(path, value)
    elif isinstance(value, int):
        if len(str(abs(value))) > MAX_INT_DIGITS:
            raise ValidationError(path, value, f"a whole number of at most {MAX_INT_DIGITS} digits")
    elif isinstance(value, float):
        if not math.isfinite(value) or (value and not MIN_FLOAT <= abs(value) <= MAX_FLOAT):
            raise ValidationError(path, value, f"a finite number, 0 or from {MIN_FLOAT} to {MAX_FLOAT} in magnitude")
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            _check(f"{path}[{index}]", entry, depth + 1)
    elif isinstance(value, dict):
        for key, entry in value.items():
            if not isinstance(key, str) or not key:
                raise ValidationError(path, key, "names that are text and not empty")
            _check_text(path, key)
            _check(f"{path}.{key}", entry, depth + 1)
    else:
        raise ValidationError(path, value, "a JSON value: dict, list, str, int, float, bool or None")


def _check_text(path: str, value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValidationError(path, value, "text that can be encoded as UTF-8") from None


def same_json(left: object, right: object) -> bool:
    """Equality as JSON sees it: unlike Python's, ``True`` is not ``1``."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(same_json(a, b) for a, b in zip(left, right, strict=True))
    return left == right
