"""Answers to tasks that wait for their token: the part of the Step Functions API that people and functions call."""

from __future__ import annotations

from local.scheduler import Scheduler
from local.states.errors import InvalidOutput
from local.states.limits import PAYLOAD_BYTES, loads
from local.states.running.tokens import Answer, TokenRegistry


class TaskAnswers:
    """Accepts answers from any thread; the task gets them on the scheduler's thread."""

    scheduler: Scheduler
    tokens: TokenRegistry

    def send_task_success(self, token: str, output: str) -> None:
        """Complete a task with a JSON text.

        Raises:
            InvalidOutput: not JSON or more than 262,144 bytes; the token can still be used.
            InvalidToken, TaskTimedOut, TaskDoesNotExist: see ``TokenRegistry.take``.
        """
        if len(output.encode()) > PAYLOAD_BYTES:
            raise InvalidOutput(f"Invalid Output: {len(output.encode())} bytes, at most {PAYLOAD_BYTES} are allowed")
        try:
            value = loads(output)
        except ValueError as error:
            raise InvalidOutput(f"Invalid Output: '{error}'") from error
        self._answer(token, Answer(output=value))

    def send_task_failure(self, token: str, error: str | None = None, cause: str | None = None) -> None:
        """Fail a task. Raises the same errors of the token as ``send_task_success``."""
        self._answer(token, Answer(error=error or "", cause=cause or ""))

    def send_task_heartbeat(self, token: str) -> None:
        """Reset a task's heartbeat timer. Raises the same errors of the token as ``send_task_success``."""
        task = self.tokens.peek(token)
        self.scheduler.post(task.beat)

    def _answer(self, token: str, answer: Answer) -> None:
        task = self.tokens.take(token)
        task.accepted(answer)
        self.scheduler.post(lambda: task.answered(answer))
