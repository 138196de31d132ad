"""What happens to work that failed: the nature of an error, and the outcome for each consumer.

One table for all of them. Whatever is permanent has its outcome at once; whatever may pass is tried again, within the
limits of whatever delivers it: a queue's ``maxReceiveCount``, a stream's retries and age, a state's ``Retry``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from handlers.core.aws.errors import nature_of_aws
from handlers.core.errors import CqrsError, Nature, TransientError


class Consumer(StrEnum):
    """Who met the error."""

    #: A caller of this package's services: publish, create, cancel, retry.
    SERVICE_CALL = "service call"
    #: A record of a table's stream, in ``events``, ``outcomes``, ``imports`` and ``loader``.
    STREAM_RECORD = "stream record"
    #: A message of a queue before it is known what it is about, and each of the notification queue.
    QUEUE_MESSAGE = "queue message"
    #: A row of an import, from its queue or in a batch of the Distributed Map.
    IMPORT_ROW = "import row"
    #: A file or archive, in the loader.
    IMPORT_JOB = "import job"
    #: A single task, from its queue.
    TASK = "task"
    #: A state of one of our state machines: commands, lists of tasks, files, archives.
    STATE = "state"
    #: One row that the sweeper looks at.
    SWEEP = "sweep"


class Outcome(StrEnum):
    """What happens to the work."""

    #: The caller gets the error; nothing was written.
    RAISED = "raised to the caller"
    #: The row, job or task is FAILED with the error, now.
    FAILED = "failed"
    #: Delivered or called again within its bounds. Where these end, it is FAILED or in a dead-letter queue.
    RETRIED = "retried"
    #: Delivered again within its bounds, then in the dead-letter queue. The row stays open, so that a redrive of the
    #: queue, or the sweeper's next look, goes on with it.
    HELD = "held"
    #: In the dead-letter queue, now, which raises an alarm.
    DEAD_LETTERED = "dead-lettered"
    #: The machine's Catch records it.
    CAUGHT = "caught"
    #: Logged and counted; the next sweep looks at the row again.
    LEFT = "left to the next sweep"


#: A missing right is the fault of no row, and meets all rows of a file: none of them is FAILED for it.
_HELD_FOR_THE_DEPLOYMENT = {
    Nature.PERMANENT: Outcome.FAILED,
    Nature.MISCONFIGURED: Outcome.HELD,
    Nature.TRANSIENT: Outcome.RETRIED,
    Nature.UNKNOWN: Outcome.RETRIED,
}
#: One error for the whole file or task, which shows it and is started again as a whole.
_RETRIED_UNLESS_SURE = {
    Nature.PERMANENT: Outcome.FAILED,
    Nature.MISCONFIGURED: Outcome.FAILED,
    Nature.TRANSIENT: Outcome.RETRIED,
    Nature.UNKNOWN: Outcome.RETRIED,
}
#: A message or record has no outcome of its own to show. A missing right may come within the bounds of its deliveries,
#: and others would go to the dead-letter queue by the thousand; so only what is wrong in itself does at once.
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

#: Errors of Python that say that a value or the code is wrong: the same value meets the same code again. An answer of
#: another service that can't be read raises them, too; code that wants another try then raises a TransientError.
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
    """Whether another try may help."""
    if isinstance(error, CqrsError):
        return error.nature
    of_aws = nature_of_aws(error)
    if of_aws is not None:
        return of_aws
    if isinstance(error, _PERMANENT):
        return Nature.PERMANENT
    return Nature.TRANSIENT if isinstance(error, OSError) or _is_of_the_network(error) else Nature.UNKNOWN


def _is_of_the_network(error: BaseException) -> bool:
    """Network errors are OSErrors but for those of two modules, which are recognised by name, since most
    workers load neither."""
    return any(base.__module__ in ("http.client", "urllib3.exceptions") for base in type(error).__mro__)


def outcome_of(error: BaseException, consumer: Consumer) -> Outcome:
    """The outcome of work that a consumer could not do."""
    return OUTCOMES[consumer][nature_of(error)]


@contextmanager
def named_for_retry() -> Iterator[None]:
    """For the work of a state: what may pass leaves as a TransientError, since machines retry by name."""
    try:
        yield
    except TransientError:
        raise
    except Exception as error:
        if outcome_of(error, Consumer.STATE) is Outcome.RETRIED:
            raise TransientError(f"{type(error).__name__}: {error}") from error
        raise
