"""Task tokens: issued when a task that waits for one is scheduled, answered at most once.

The API reference (SendTaskSuccess): InvalidToken "the provided token is not valid", TaskTimedOut "the token has
either expired or the task associated with the token has already been closed".
"""

from __future__ import annotations

import base64
import random
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

from local.states.errors import InvalidToken, TaskDoesNotExist, TaskTimedOut

#: Number of closed tokens kept, which give TaskTimedOut; older ones are unknown: TaskDoesNotExist.
REMEMBERED = 20_000

_TOKEN = re.compile(r"AQC[A-Za-z0-9+/]{64}")


class WaitingTask(Protocol):
    """A task that waits for its token. Methods are called on the scheduler's thread unless stated otherwise."""

    def accepted(self, answer: Answer) -> None:
        """The token was answered; the sender gets its response after this. Called from any thread."""

    def answered(self, answer: Answer) -> None:
        """The same, on the scheduler's thread."""

    def beat(self) -> None:
        """A heartbeat arrived."""


@dataclass(frozen=True)
class Answer:
    """Success with ``output``, or a failure when ``error`` is set."""

    output: object = None
    error: str | None = None
    cause: str = ""


class TokenRegistry:
    """All tokens of one runtime. Safe from any thread; it never waits."""

    def __init__(self, source: random.Random, *, remembered: int = REMEMBERED) -> None:
        self._random = source
        self._open: dict[str, WaitingTask] = {}
        self._closed: OrderedDict[str, None] = OrderedDict()
        self._remembered = remembered
        self._lock = threading.Lock()

    def new(self) -> str:
        """A new token."""
        return "AQC" + base64.b64encode(self._random.randbytes(48)).decode()

    def issue(self, task: WaitingTask, token: str) -> None:
        """Register ``task`` as waiting for ``token``."""
        with self._lock:
            self._open[token] = task

    def close(self, token: str) -> bool:
        """Close the token of an ended task: later answers get TaskTimedOut. False: it was answered or closed before."""
        with self._lock:
            if self._open.pop(token, None) is None:
                return False
            self._remember(token)
            return True

    def take(self, token: str) -> WaitingTask:
        """The task to answer; this consumes the token.

        Raises:
            InvalidToken: not a token.
            TaskTimedOut: expired, answered before, or its execution has ended.
            TaskDoesNotExist: unknown.
        """
        with self._lock:
            task = self._find(token)
            del self._open[token]
            self._remember(token)
            return task

    def peek(self, token: str) -> WaitingTask:
        """The task that gets a heartbeat. Raises the same as ``take``."""
        with self._lock:
            return self._find(token)

    def _find(self, token: str) -> WaitingTask:
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise InvalidToken("Invalid Token: 'Invalid token'")
        task = self._open.get(token)
        if task is not None:
            return task
        if token in self._closed:
            raise TaskTimedOut("Task Timed Out: 'Provided task does not exist anymore'")
        raise TaskDoesNotExist("Task Does Not Exist: 'Provided task does not exist'")

    def _remember(self, token: str) -> None:
        self._closed[token] = None
        if len(self._closed) > self._remembered:
            self._closed.popitem(last=False)
