"""Validation of what is sent to Step Functions, so that AWS doesn't reject it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from handlers.core.errors import RequestConflict, ValidationError, shown
from handlers.core.values.json_values import plain_value

#: Step Functions Developer Guide, "Step Functions service quotas": input or output of a task, state or execution.
MAX_OUTPUT_BYTES = 262_144
#: Limit of a function's result for a state, which wraps it in the response of Lambda's Invoke, including headers.
MAX_RESULT_BYTES = MAX_OUTPUT_BYTES - 4_096
#: API reference, SendTaskFailure.
MAX_ERROR_CHARS = 256
MAX_CAUSE_CHARS = 32_768
#: API reference, SendTaskSuccess.
MAX_TOKEN_CHARS = 2_048
MAX_ID_CHARS = 1_000
#: API reference, ListExecutions.
MAX_PAGE_CHARS = 1_024


def execution_name(id_: object) -> str:
    """The execution's name for a caller's id: always the same, and within what AWS allows (1 to 80 characters).

    The readable part helps to find an execution; the hash makes the name unique.

    Raises:
        ValidationError: the id isn't text, is empty or too long.
    """
    if not isinstance(id_, str) or not id_ or len(id_) > MAX_ID_CHARS:
        raise ValidationError("id", id_, f"text of 1 to {MAX_ID_CHARS} characters")
    try:
        encoded = id_.encode()
    except UnicodeEncodeError:
        raise ValidationError("id", id_, "Unicode text, without halves of characters") from None
    return f"{readable(id_)}-{hashlib.sha256(encoded).hexdigest()[:40]}"


def readable(id_: str) -> str:
    """The readable prefix of the name of an id's execution."""
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in id_[:39])


def check_page(page: str) -> str:
    """Validate a ``nextToken`` for ListExecutions (API reference). Raises ValidationError."""
    if not 1 <= len(page) <= MAX_PAGE_CHARS:
        raise not_a_page(page)
    return page


def not_a_page(page: str) -> ValidationError:
    """The error for an invalid or expired token: those of ListExecutions expire after 24 hours."""
    return ValidationError("cursor", page, "the cursor of an earlier page, of the last 24 hours")


def execution_arn(machine: str, execution: str) -> str:
    """The ARN of a STANDARD machine's execution."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{execution}"


def check_same_input(name: str, id_: str, started_with: str, text: str) -> None:
    """Require two JSON texts to be the same input. Raises RequestConflict: the id was used with different input."""
    if json.loads(started_with) != json.loads(text):
        raise RequestConflict(f"id {shown(id_)}: workflow {name} was started with other input under it; use a new id")


def machine_of(machines: Mapping[str, str], name: object) -> str:
    """The ARN of a workflow's machine. Raises ValidationError naming it and the known ones."""
    if not isinstance(name, str) or name not in machines:
        raise ValidationError("workflow", name, f"one of {', '.join(sorted(machines)) or '(none is deployed)'}")
    return machines[name]


def check_payload(field: str, value: object, max_bytes: int = MAX_OUTPUT_BYTES) -> Any:
    """The value as the execution stores it, if it is JSON. Raises ValidationError naming the field."""
    plain = plain_value(field, value)
    _text(field, plain, max_bytes)
    return plain


def text_of(field: str, value: object, max_bytes: int = MAX_OUTPUT_BYTES) -> str:
    """The value as JSON text. Raises as ``check_payload``."""
    return _text(field, plain_value(field, value), max_bytes)


def _text(field: str, plain: Any, max_bytes: int) -> str:
    text = json.dumps(plain, sort_keys=True)
    if len(text) > max_bytes:  # ASCII: characters are bytes
        raise ValidationError(field, f"{len(text)} bytes", f"at most {max_bytes} bytes of JSON")
    return text


def check_input(value: object) -> str:
    """An execution's input as JSON text. Raises ValidationError: it isn't an object, or is too large."""
    if not isinstance(value, dict):
        raise ValidationError("input", value, "a JSON object (dict)")
    return text_of("input", value)


def check_token(token: object) -> str:
    """Validate a task token, which errors must not show. Raises ValidationError."""
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_CHARS:
        raise ValidationError("token", "<hidden>", f"a task token: text of 1 to {MAX_TOKEN_CHARS} characters")
    return token


def check_failure(error: object, cause: object) -> tuple[str, str]:
    """Validate the error and cause of a failed task. Raises ValidationError naming the field."""
    if not isinstance(error, str) or not 0 < len(error) <= MAX_ERROR_CHARS:
        raise ValidationError("error", error, f"an error name of 1 to {MAX_ERROR_CHARS} characters")
    if not isinstance(cause, str) or len(cause) > MAX_CAUSE_CHARS:
        raise ValidationError("cause", cause, f"text of at most {MAX_CAUSE_CHARS} characters")
    return error, cause
