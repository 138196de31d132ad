"""The failure policy: classifies errors, and determines the outcome of failed work for each consumer.

One table for all consumers. Permanent errors take effect at once; possibly transient ones are retried within the limits
of the delivery: a queue's ``maxReceiveCount``, a stream's retries and age, a state's ``Retry``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from handlers.core.aws.errors import nature_of_aws
from handlers.core.errors import CqrsError, Nature, TransientError


class Consumer(StrEnum):
    """Where the error occurred."""

    #: A caller of this package's services: publish, create, cancel, retry.
    SERVICE_CALL = "service call"
    #: A record of a table's stream, in ``events``, ``outcomes``, ``imports`` and ``loader``.
    STREAM_RECORD = "stream record"
    #: A queue message before its subject is known, and every message of the notification queue.
    QUEUE_MESSAGE = "queue message"
    #: A row of an import, from its queue or in a batch of the Distributed Map.
    IMPORT_ROW = "import row"
    #: A file or archive, in the loader.
    IMPORT_JOB = "import job"
    #: A single task, from its queue.
    TASK = "task"
    #: A state of one of our state machines: commands, lists of tasks, files, archives.
    STATE = "state"
    #: One row that the sweeper checks.
    SWEEP = "sweep"


class Outcome(StrEnum):
    """What happens to the failed work."""

    #: The caller gets the error; nothing was written.
    RAISED = "raised to the caller"
    #: The row, job or task is FAILED with the error, now.
    FAILED = "failed"
    #: Redelivered or called again within its limits; then FAILED or in a dead-letter queue.
    RETRIED = "retried"
    #: Redelivered within its limits, then in the dead-letter queue. The row stays open, so that a redrive of the queue
    #: or the next sweep continues it.
    HELD = "held"
    #: In the dead-letter queue at once, which raises an alarm.
    DEAD_LETTERED = "dead-lettered"
    #: Recorded by the state machine's Catch.
    CAUGHT = "caught"
    #: Logged and counted; the next sweep checks the row again.
    LEFT = "left to the next sweep"


#: A missing permission isn't the fault of a row and affects all rows of a file, so none of them is FAILED for it.
_HELD_FOR_THE_DEPLOYMENT = {
    Nature.PERMANENT: Outcome.FAILED,
    Nature.MISCONFIGURED: Outcome.HELD,
    Nature.TRANSIENT: Outcome.RETRIED,
    Nature.UNKNOWN: Outcome.RETRIED,
}
#: The error concerns the whole file or task, which shows it and is restarted as a whole.
_RETRIED_UNLESS_SURE = {
    Nature.PERMANENT: Outcome.FAILED,
    Nature.MISCONFIGURED: Outcome.FAILED,
    Nature.TRANSIENT: Outcome.RETRIED,
    Nature.UNKNOWN: Outcome.RETRIED,
}
#: A message or record has no row of its own to show an outcome. A missing permission may be granted before the retries
#: are exhausted, and would otherwise dead-letter messages by the thousand, so only permanent errors do that at once.
_KEPT_AS_LONG_AS_IT_MAY_PASS = {
    Nature.PERMANENT: Outcome.DEAD_LETTERED,
    Nature.MISCONFIGURED: Outcome.RETRIED,
    Nature.TRANSIENT: Outcome.RETRIED,
    Nature.UNKNOWN: Outcome.RETRIED,
}
OUTCOMES: Mapping[Consumer, Mapping[Nature, Outcome]] = {
    Consumer.SERVICE_CALL: dict.fromkeys(Nature, Outcome.RAISED),
    Consumer.STREAM_RECORD: _KEPT_AS_LONG_AS_IT_MAY_PASS,
    Consumer.QUEUE_MESSAGE: _KEPT_AS_LONG_AS_IT_MAY_PASS,
    Consumer.IMPORT_ROW: _HELD_FOR_THE_DEPLOYMENT,
    Consumer.IMPORT_JOB: _RETRIED_UNLESS_SURE,
    Consumer.TASK: _RETRIED_UNLESS_SURE,
    Consumer.STATE: {
        Nature.PERMANENT: Outcome.CAUGHT,
        Nature.MISCONFIGURED: Outcome.CAUGHT,
        Nature.TRANSIENT: Outcome.RETRIED,
        Nature.UNKNOWN: Outcome.CAUGHT,
    },
    Consumer.SWEEP: dict.fromkeys(Nature, Outcome.LEFT),
}

#: Python errors that mean that a value or the code is wrong, so a retry fails again. An unreadable response of another
#: service raises them, too; code that wants a retry then raises a TransientError.
_PERMANENT = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    FileExistsError,
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
)


def nature_of(error: BaseException) -> Nature:
    """Classify an error: whether a retry may help."""
    if isinstance(error, CqrsError):
        return error.nature
    of_aws = nature_of_aws(error)
    if of_aws is not None:
        return of_aws
    if isinstance(error, _PERMANENT):
        return Nature.PERMANENT
    return Nature.TRANSIENT if isinstance(error, OSError) or _is_of_the_network(error) else Nature.UNKNOWN


def _is_of_the_network(error: BaseException) -> bool:
    """Network errors are OSErrors, except for those of two modules, which are recognised by name since most workers
    load neither."""
    return any(base.__module__ in ("http.client", "urllib3.exceptions") for base in type(error).__mro__)


def outcome_of(error: BaseException, consumer: Consumer) -> Outcome:
    """The outcome of a consumer's failed work."""
    return OUTCOMES[consumer][nature_of(error)]


@contextmanager
def named_for_retry() -> Iterator[None]:
    """Convert retriable errors of a state's work to TransientError, since state machines match errors by name."""
    try:
        yield
    except TransientError:
        raise
    except Exception as error:
        if outcome_of(error, Consumer.STATE) is Outcome.RETRIED:
            raise TransientError(f"{type(error).__name__}: {error}") from error
        raise
