"""Time for moto and botocore while the endpoint runs on a virtual clock.

moto gets the time from one function, ``moto.core.utils.utcnow``, which other modules import by name; it reads the
global ``datetime`` of its module, which is replaced here. botocore waits between attempts with ``time.sleep`` in its
module ``botocore.endpoint``, which is replaced, too: in virtual time nothing may really wait.
"""

from __future__ import annotations

import datetime as real_datetime
import time as real_time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from types import ModuleType
from typing import Any

import botocore.endpoint
import moto.core.utils
from moto.moto_api._internal import mock_random

from local.scheduler import Scheduler

#: botocore's pause before a retry in virtual time. Its own is random, but equal seeds must give equal runs.
RETRY_PAUSE_S = 0.1

_now: Callable[[], float] = real_time.time


def now() -> float:
    """Epoch seconds on the clock of the running endpoint."""
    return _now()


@contextmanager
def clock_of(scheduler: Scheduler | None) -> Iterator[None]:
    """Inside, moto and botocore use the clock of ``scheduler``. A real clock (or None) changes nothing."""
    global _now
    if scheduler is None or not scheduler.is_virtual:
        yield
        return
    moto_datetime, botocore_time = moto.core.utils.datetime, botocore.endpoint.time  # type: ignore[attr-defined]
    random_state = mock_random.getstate()
    moto.core.utils.datetime = _virtual_datetime(scheduler)
    botocore.endpoint.time = _virtual_time(scheduler)  # type: ignore[attr-defined]
    mock_random.seed(0)  # message ids and the like are the same in every run
    _now = scheduler.now
    try:
        yield
    finally:
        _now = real_time.time
        mock_random.setstate(random_state)
        moto.core.utils.datetime = moto_datetime
        botocore.endpoint.time = botocore_time  # type: ignore[attr-defined]


def _virtual_datetime(scheduler: Scheduler) -> ModuleType:
    at = lru_cache(maxsize=4)(real_datetime.datetime.fromtimestamp)  # the clock often stands still for many calls

    class VirtualDatetime(real_datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return at(scheduler.now(), tz)

    module = ModuleType("datetime")
    module.__dict__.update(vars(real_datetime), datetime=VirtualDatetime)
    return module


def _virtual_time(scheduler: Scheduler) -> ModuleType:
    def sleep(_seconds: float) -> None:
        if scheduler.current_task() is not None:
            scheduler.sleep(RETRY_PAUSE_S)

    module = ModuleType("time")
    module.__dict__.update(vars(real_time), sleep=sleep)
    return module
