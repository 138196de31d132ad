"""Error handling for steps that run without a state machine: replaces its Retry and Catch."""

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
    """Record the failure of a step and re-raise its error. The claim must be held.

    TransientError and LostRun aren't recorded: a repeated call continues, or the sweeper does once the lease has
    expired.
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
