"""Runs the steps in the publisher's process, without a state machine, and does what its Retry and Catch would do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from handlers.commands.failure import Failure
from handlers.commands.pipeline.run import LostRun, Run
from handlers.consumers.failure_policy import named_for_retry
from handlers.core.errors import TransientError


@contextmanager
def recorded(run: Run, record_failure: Callable[[Run, Failure], Any]) -> Iterator[None]:
    """Record the failure of a step, whose error leaves all the same. The claim must be held.

    After a TransientError, or a LostRun, nothing is recorded: a repeated call goes on, or the sweeper once the lease
    has ended.
    """
    try:
        with named_for_retry():
            yield
    except (LostRun, TransientError):
        raise
    except Exception as error:
        try:
            record_failure(run, Failure.from_exception(error))
        except Exception as second:  # noqa: BLE001 - error path: the original error is the one reported
            error.add_note(f"the failure could not be recorded either: {type(second).__name__}: {second}")
        raise
