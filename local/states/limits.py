"""Quotas of Step Functions, and the measurement of payloads.

Source: Developer Guide, "Step Functions service quotas".
"""

from __future__ import annotations

import json
from typing import Any

from local.states.errors import DATA_LIMIT_EXCEEDED, StatesError

#: Input or output of a task, a state or an execution, in bytes of UTF-8.
PAYLOAD_BYTES = 262_144
#: Entries in the history of one STANDARD execution.
HISTORY_EVENTS = 25_000
#: Longest EXPRESS execution, in seconds.
EXPRESS_SECONDS = 300.0
#: Upper limit of an inline Map's concurrent iterations, regardless of MaxConcurrency.
INLINE_MAP_CONCURRENCY = 40
#: Upper limit of a Distributed Map's concurrent children, regardless of MaxConcurrency (AWS: 10,000). Each is a task of
#: the scheduler; their functions share its worker threads, so more of them would only wait for those.
DISTRIBUTED_MAP_CONCURRENCY = 1_000
#: Longest wait to a timestamp. Captured on AWS: 24,855 days are waited for, 24,856 are "too long"; chosen: 31 bits.
MAX_WAIT_SECONDS = 2_147_483_647
#: Characters in the name of a machine, a state or an execution.
NAME_CHARACTERS = 80

_TOO_LARGE = "with a size exceeding the maximum number of bytes service limit."

_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def dumps(value: Any) -> str:
    """Compact JSON, as the payload limit counts it."""
    return _encoder.encode(value)


def loads(text: str) -> Any:
    """Parse JSON strictly. Raises ``ValueError``, also for NaN and Infinity, which JSON doesn't have."""
    return json.loads(text, parse_constant=_refuse_constant)


def size(value: Any) -> int:
    """Bytes of UTF-8 of the value's compact JSON."""
    return len(_encoder.encode(value).encode())


def check_payload(value: Any, name: str) -> None:
    """Raise ``States.DataLimitExceeded`` when a result or an output has more than 262,144 bytes.

    Developer Guide, "Handling errors": raised for the result of a connector, the output of a state and
    the input of a state after Parameters. Which spelling of the JSON is counted is not documented;
    compact JSON chosen because that is what the integrations exchange.

    Args:
        name: the state's name, or for a task's result the function's ARN or "lambda".
    """
    if _is_too_large(value):
        raise payload_error(name)


def check_input(value: Any, state: str) -> None:
    """The same for the result of Parameters. The message is ours; AWS's has not been captured."""
    if _is_too_large(value):
        raise StatesError(DATA_LIMIT_EXCEEDED, f"The state '{state}' has an input {_TOO_LARGE}")


def payload_error(name: str) -> StatesError:
    """The error for a result of more than 262,144 bytes."""
    return StatesError(DATA_LIMIT_EXCEEDED, f"The state/task '{name}' returned a result {_TOO_LARGE}", located=True)


def _is_too_large(value: Any) -> bool:
    text = _encoder.encode(value)
    # a character has at most 4 bytes
    return len(text) * 4 > PAYLOAD_BYTES and len(text.encode()) > PAYLOAD_BYTES


def plain(value: Any) -> str:
    """A value for an error's text: strings as they are, everything else as JSON."""
    return value if isinstance(value, str) else _encoder.encode(value)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")
