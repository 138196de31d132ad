"""Errors that callers, operators and state machines distinguish by name.

The class name of an error that leaves a Lambda function is the error name in Step Functions
(Developer Guide, "Handling errors in Step Functions workflows"), so names here are part of the
state machine definitions: ``Transient*`` is retried, everything else goes straight to Catch.
``nature`` of each class states whether a retry may help; ``handlers.consumers.failure_policy`` determines the
outcome.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

SHOWN_CHARS = 80


class Nature(StrEnum):
    """Whether a retry of the same work may help."""

    #: The work itself is invalid: every try fails the same way.
    PERMANENT = "permanent"
    #: The deployment is wrong (a permission, a resource or a setting is missing): only changing it helps.
    MISCONFIGURED = "misconfigured"
    #: Temporary: a throttle, an outage, a conflict, something that isn't ready yet.
    TRANSIENT = "transient"
    #: It can't be classified.
    UNKNOWN = "unknown"


class CqrsError(Exception):
    """Base of this package's errors."""

    nature: Nature = Nature.PERMANENT


class ValidationError(CqrsError):
    """Bad input. Names the field, the value and what is allowed; nothing was written."""

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = shown(value)
        self.allowed = allowed
        super().__init__(f"{field}: {self.value} is not allowed; expected {allowed}")


class NotFound(CqrsError):
    """There is no row under the key."""


class VersionConflict(CqrsError):
    """Another caller published first, or the caller's version is wrong. ``current`` is the stored row."""

    nature = Nature.TRANSIENT

    def __init__(self, key: str, expected: int, actual: int, current: dict[str, Any] | None = None) -> None:
        self.key = key
        self.expected = expected
        self.actual = actual
        self.current = current
        stored = f"the latest version is {actual}" if actual else "nothing is stored"
        super().__init__(f"{key}: published on version {expected}, but {stored}")


class PendingVersions(VersionConflict):
    """A synchronous publish met a version that is not applied yet."""

    def __init__(self, key: str, pending: int, status: str, current: dict[str, Any] | None = None) -> None:
        super().__init__(key, pending, pending, current)
        self.status = status
        self.args = (f"{key}: version {pending} is not applied yet (status {status}); publish it asynchronously",)


class WrongStatus(CqrsError):
    """The status of a task or an import doesn't allow the operation."""


class RequestConflict(CqrsError):
    """The request id was used before with different content."""


class RequestWithdrawn(RequestConflict):
    """The request id was withdrawn before it published anything, so it never will."""


class CommandFailed(CqrsError):
    """The command of a repeated request was accepted and has failed; an operator has to redrive or skip it."""


class ExecutionError(CqrsError):
    """Base of the outcomes of ``check_version`` that end a command as FAILED."""


class VersionMismatch(ExecutionError):
    """The data row already has a later version."""


class VersionGap(ExecutionError):
    """The preceding version is missing."""


class WaitExpired(ExecutionError):
    """The predecessor was not done within the wait limit."""


class NotRunning(ExecutionError):
    """No execution is working on the command."""


class ObjectMissing(CqrsError):
    """There is no object under the key, or it may not be read: S3 doesn't distinguish these."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(f"s3://{bucket}/{key} does not exist or may not be read")


class BucketMissing(CqrsError):
    """There is no bucket of this name."""

    nature = Nature.MISCONFIGURED

    def __init__(self, bucket: str) -> None:
        super().__init__(f"bucket {bucket} does not exist")


class ObjectChanged(CqrsError):
    """The object was replaced or removed while it was being read."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(f"s3://{bucket}/{key} was replaced or removed while it was read")


class ObjectTooLarge(CqrsError):
    """An object is larger than its reader allows; it was not read."""

    def __init__(self, bucket: str, key: str, size: int, limit: int) -> None:
        super().__init__(f"s3://{bucket}/{key} has {size} bytes; at most {limit} are read")


class AttributesDamaged(CqrsError):
    """The object of a row's pointer isn't the one that was written, or the pointer isn't one of ours."""


class TokenGone(CqrsError):
    """Nothing waits for the task token. The text never shows it."""


class TokenInvalid(TokenGone):
    """The text isn't a task token."""


class TokenExpired(TokenGone):
    """It was already completed, its wait timed out, or its execution has ended: AWS doesn't distinguish these."""


class TokenUnknown(TokenGone):
    """There is no such task, or it no longer exists."""


class TransientError(CqrsError):
    """A retry may work: the state machine retries, a stream or queue redelivers."""

    nature = Nature.TRANSIENT


class TransientThrottle(TransientError):
    """AWS throttled the call or had an internal error. ``refused``: it is certain that the call did nothing."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(text)


class TransientConflict(TransientError):
    """A concurrent transaction changed the same item."""


class SkipRefused(CqrsError):
    """The command may not be skipped, or not now; the text says why. Nothing was changed."""


class SettingsError(CqrsError):
    """The environment of the function is wrong: start-up fails, naming the variable."""

    nature = Nature.MISCONFIGURED


class RegistryError(CqrsError):
    """The application's handlers can't be loaded: start-up fails, naming the module or id."""

    nature = Nature.MISCONFIGURED


def shown(value: object) -> str:
    """``repr`` of a value, cut so that a message stays on one line."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - boundary: a value that is refused anyway; its type is shown
        text = f"<{type(value).__name__} that can't be shown: {type(error).__name__}>"
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 3]}..."
