"""The intrinsic functions. Each takes the random source first, then its arguments.

Source: Developer Guide, "Intrinsic functions for JSONPath states in Step Functions"; comments mark what it doesn't
specify.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import random
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local.states.limits import dumps, loads

#: Maximum number of items of ArrayRange.
RANGE_LIMIT = 1_000
#: Maximum length of texts for the Base64 functions and Hash.
TEXT_LIMIT = 10_000

_HASHES = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_ESCAPE = re.compile(r"\\(.)")
_PLACEHOLDER = re.compile(r"\\(.)|(\{\})")


class Literal(str):
    """A quoted literal that still has its backslash escapes, since Format distinguishes ``\\{`` from ``{``."""

    __slots__ = ()


class IntrinsicError(ValueError):
    """The arguments are invalid for the function."""


def _plain(value: Any) -> Any:
    """The value of an argument, with a literal's escapes resolved."""
    return _ESCAPE.sub(r"\1", value) if isinstance(value, Literal) else value


def _array(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise IntrinsicError(f"{what} must be an array")
    return value


def _integer(value: Any, what: str) -> int:
    # a fraction is rounded to the nearest integer (guide: "rounds it off to the nearest integer")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise IntrinsicError(f"{what} must be a number")
    return value if isinstance(value, int) else round(value)


def _text(value: Any, what: str) -> str:
    plain = _plain(value)
    if not isinstance(plain, str):
        raise IntrinsicError(f"{what} must be a string")
    return plain


def format_text(_: random.Random, template: Any, *values: Any) -> str:
    """Replace each ``{}`` of ``template`` by the next value."""
    if not isinstance(template, str):
        raise IntrinsicError("the template must be a string")
    rest = list(values)

    def replace(match: re.Match[str]) -> str:
        if match.group(1) is not None:
            return match.group(1)
        if not rest:
            raise IntrinsicError("there are more {} than values")
        value = _plain(rest.pop(0))
        if isinstance(value, dict | list):
            # not documented; refused because the guide only names literals and interpolated scalars
            raise IntrinsicError("an object or array can't be put into a text; use States.JsonToString")
        return value if isinstance(value, str) else dumps(value)

    text = _PLACEHOLDER.sub(replace, template)
    if rest:
        raise IntrinsicError("there are more values than {}")
    return text


def string_to_json(_: random.Random, text: Any) -> Any:
    """Parse a JSON text; an empty string gives null."""
    plain = _text(text, "the argument")
    try:
        return loads(plain) if plain else None
    except ValueError as error:
        raise IntrinsicError(f"not JSON: {error}") from error


def json_to_string(_: random.Random, value: Any) -> str:
    """The value as JSON text."""
    return dumps(_plain(value))


def array(_: random.Random, *values: Any) -> list[Any]:
    """An array of the arguments."""
    return [_plain(value) for value in values]


def array_partition(_: random.Random, values: Any, size: Any) -> list[Any]:
    """Chunks of ``size``; the last one may be shorter."""
    items, chunk = _array(values, "the first argument"), _integer(size, "the chunk size")
    if chunk < 1:
        raise IntrinsicError("the chunk size must be at least 1")
    return [items[start : start + chunk] for start in range(0, len(items), chunk)]


def array_contains(_: random.Random, values: Any, wanted: Any) -> bool:
    """Whether the array has this element."""
    key = dumps(_plain(wanted))
    return any(dumps(value) == key for value in _array(values, "the first argument"))


def array_range(_: random.Random, first: Any, last: Any, step: Any) -> list[int]:
    """Numbers from ``first`` to ``last`` inclusive, at most 1,000."""
    start, end, by = _integer(first, "the first value"), _integer(last, "the last value"), _integer(step, "the step")
    if by == 0:
        raise IntrinsicError("the step must not be 0")
    numbers = range(start, end + (1 if by > 0 else -1), by)
    if len(numbers) > RANGE_LIMIT:
        raise IntrinsicError(f"the range has {len(numbers)} items, at most {RANGE_LIMIT} are allowed")
    return list(numbers)


def array_get_item(_: random.Random, values: Any, index: Any) -> Any:
    """The element at a zero-based index."""
    items, position = _array(values, "the first argument"), _integer(index, "the index")
    if not 0 <= position < len(items):
        raise IntrinsicError(f"the index {position} is outside of the array of {len(items)}")
    return items[position]


def array_length(_: random.Random, values: Any) -> int:
    """The number of elements."""
    return len(_array(values, "the argument"))


def array_unique(_: random.Random, values: Any) -> list[Any]:
    """The elements without duplicates, in the order of their first occurrence (the order isn't documented)."""
    seen: dict[str, Any] = {}
    for value in _array(values, "the argument"):
        seen.setdefault(dumps(value), value)
    return list(seen.values())


def base64_encode(_: random.Random, text: Any) -> str:
    """MIME Base64 of a text of at most 10,000 characters."""
    return base64.b64encode(_limited(text).encode()).decode()


def base64_decode(_: random.Random, text: Any) -> str:
    """The text of a Base64 string of at most 10,000 characters."""
    try:
        return base64.b64decode(_limited(text), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise IntrinsicError(f"not Base64 of a text: {error}") from error


def _limited(text: Any) -> str:
    plain = _text(text, "the argument")
    if len(plain) > TEXT_LIMIT:
        raise IntrinsicError(f"the text has {len(plain)} characters, at most {TEXT_LIMIT} are allowed")
    return plain


def hash_text(_: random.Random, data: Any, algorithm: Any) -> str:
    """The hex digest by MD5, SHA-1, SHA-256, SHA-384 or SHA-512."""
    name = _text(algorithm, "the algorithm")
    if name not in _HASHES:
        raise IntrinsicError(f"the algorithm {name!r} must be one of {', '.join(_HASHES)}")
    plain = _plain(data)
    text = plain if isinstance(plain, str) else dumps(plain)
    return hashlib.new(_HASHES[name], _limited(text).encode()).hexdigest()


def json_merge(_: random.Random, first: Any, second: Any, deep: Any) -> dict[str, Any]:
    """Two objects merged; the second one takes precedence. Only shallow merging is supported (``deep`` is false)."""
    if not isinstance(first, dict) or not isinstance(second, dict):
        raise IntrinsicError("the first two arguments must be objects")
    if deep is not False:
        raise IntrinsicError("deep merging is not supported: the third argument must be false")
    return {**first, **second}


def math_random(source: random.Random, first: Any, last: Any, seed: Any = None) -> int:
    """A random integer from ``first`` (inclusive) to ``last`` (exclusive)."""
    start, end = _integer(first, "the start"), _integer(last, "the end")
    if end <= start:
        raise IntrinsicError("the end must be greater than the start")
    chosen = source if seed is None else random.Random(_integer(seed, "the seed"))
    return chosen.randrange(start, end)


def math_add(_: random.Random, first: Any, second: Any) -> int:
    """The sum of two integers."""
    return _integer(first, "the first argument") + _integer(second, "the second argument")


def string_split(_: random.Random, text: Any, separators: Any) -> list[str]:
    """Split at every one of the characters in ``separators``; empty parts are left out."""
    plain, characters = _text(text, "the text"), _text(separators, "the separator")
    if not characters:
        return [plain]
    # whether empty parts are kept isn't documented; moto's engine leaves them out, and so do we
    return [part for part in re.split(f"[{re.escape(characters)}]", plain) if part]


def new_uuid(source: random.Random) -> str:
    """A random version 4 UUID."""
    return str(uuid.UUID(int=source.getrandbits(128), version=4))


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "States.Array": array,
    "States.ArrayContains": array_contains,
    "States.ArrayGetItem": array_get_item,
    "States.ArrayLength": array_length,
    "States.ArrayPartition": array_partition,
    "States.ArrayRange": array_range,
    "States.ArrayUnique": array_unique,
    "States.Base64Decode": base64_decode,
    "States.Base64Encode": base64_encode,
    "States.Format": format_text,
    "States.Hash": hash_text,
    "States.JsonMerge": json_merge,
    "States.JsonToString": json_to_string,
    "States.MathAdd": math_add,
    "States.MathRandom": math_random,
    "States.StringSplit": string_split,
    "States.StringToJson": string_to_json,
    "States.UUID": new_uuid,
}
