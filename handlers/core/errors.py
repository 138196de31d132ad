"""Errors that callers, operators and the state machines tell apart by name.

The class name of an error that leaves a Lambda function is the error name in Step Functions
(Developer Guide, "Handling errors in Step Functions workflows"), so names here are part of the
state machine definitions: ``Transient*`` is retried, everything else goes straight to Catch.
Each class says in ``nature`` whether another try may help; ``handlers.consumers.failure_policy`` says what
follows from it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

SHOWN_CHARS = 80


class Nature(StrEnum):
    """Whether another try of the same work may help."""

    #: The work itself is wrong: each try ends alike.
    PERMANENT = "permanent"
    #: The deployment is wrong (a right, a resource or a setting is missing): only its change helps.
    MISCONFIGURED = "misconfigured"
    #: It passes: a throttle, an outage, a conflict, something that is not ready yet.
    TRANSIENT = "transient"
    #: It can't be classified.
    UNKNOWN = "unknown"


class CqrsError(Exception):
    """Base of every error that this package raises on purpose."""

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
    """Somebody else published first, or the caller's version is wrong. ``current`` is the stored row."""

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
    """The status of a task or an import does not allow what is asked for."""


class RequestConflict(CqrsError):
    """The request id was used before with other content."""


class RequestWithdrawn(RequestConflict):
    """The request id was withdrawn before it published anything, so it never will."""


class CommandFailed(CqrsError):
    """The command of a repeated request had been accepted and has failed; an operator redrives or skips it."""


class ExecutionError(CqrsError):
    """Base of the outcomes of ``check_version`` that end a command as FAILED."""


class VersionMismatch(ExecutionError):
    """The data row is already beyond this version."""


class VersionGap(ExecutionError):
    """The version before this one is missing."""


class WaitExpired(ExecutionError):
    """The predecessor was not done within the wait limit."""


class NotRunning(ExecutionError):
    """No execution works on the command any more."""


class ObjectMissing(CqrsError):
    """There is no object under the key, or it may not be read: S3 answers both alike."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(f"s3://{bucket}/{key} does not exist or may not be read")


class BucketMissing(CqrsError):
    """There is no bucket of this name."""

    nature = Nature.MISCONFIGURED

    def __init__(self, bucket: str) -> None:
        super().__init__(f"bucket {bucket} does not exist")


class ObjectChanged(CqrsError):
    """The object that was found first has been replaced or removed since."""

    def __init__(self, bucket: str, key: str) -> None:
        super().__init__(f"s3://{bucket}/{key} was replaced or removed while it was read")


class ObjectTooLarge(CqrsError):
    """An object is larger than its reader allows; it was not read."""

    def __init__(self, bucket: str, key: str, size: int, limit: int) -> None:
        super().__init__(f"s3://{bucket}/{key} has {size} bytes; at most {limit} are read")


class AttributesDamaged(CqrsError):
    """The object behind a row's pointer is not the one that was written, or the pointer is not one that we wrote."""


class TokenGone(CqrsError):
    """Nothing waits for the task token. The text never shows it."""


class TokenInvalid(TokenGone):
    """It is no task token."""


class TokenExpired(TokenGone):
    """It was answered before, its wait has timed out, or its execution has ended: AWS answers these alike."""


class TokenUnknown(TokenGone):
    """There is no such task (any more)."""


class TransientError(CqrsError):
    """Worth another try: the state machine retries it, a stream or queue delivers again."""

    nature = Nature.TRANSIENT


class TransientThrottle(TransientError):
    """AWS throttled the call or had an internal error. ``refused``: it is certain that the call did nothing."""

    def __init__(self, text: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(text)


class TransientConflict(TransientError):
    """Another transaction worked on the same item."""


class SkipRefused(CqrsError):
    """The command may not be skipped (now); the text says why. Nothing was changed."""


class SettingsError(CqrsError):
    """The environment of the function is wrong: start-up fails, naming the variable."""

    nature = Nature.MISCONFIGURED


class RegistryError(CqrsError):
    """The application's handlers can't be loaded: start-up fails, naming the module or id."""

    nature = Nature.MISCONFIGURED


def shown(value: object) -> str:
    """``repr`` of a value, cut so that a message stays a line."""
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - boundary: a value that is refused anyway; its type is shown
        text = f"<{type(value).__name__} that can't be shown: {type(error).__name__}>"
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 3]}..."
