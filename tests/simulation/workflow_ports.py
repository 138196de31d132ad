"""The application's workflow port on the runtime's execution manager, behind the gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handlers.core.errors import TokenExpired, TokenGone, TokenInvalid, TokenUnknown
from handlers.state_machines import checks
from local.states.errors import ExecutionAlreadyExists, InvalidToken, TaskDoesNotExist, TaskTimedOut
from local.states.manager import ExecutionManager
from tests.simulation.gate import PlanGate
from tests.simulation.sites import RESUME, START
from tests.simulation.story import Story

GONE: dict[type[Exception], type[TokenGone]] = {
    TaskTimedOut: TokenExpired,
    TaskDoesNotExist: TokenUnknown,
    InvalidToken: TokenInvalid,
}


class GatedCustomWorkflows:
    """See CustomWorkflows. ``subjects``: the id that each execution name was made of."""

    def __init__(self, manager: ExecutionManager, machines: Mapping[str, str], gate: PlanGate, story: Story) -> None:
        self._manager = manager
        self._machines = machines
        self._gate = gate
        self._story = story
        self.subjects: dict[str, str] = {}

    def start(self, name: str, given: Mapping[str, Any], id_: str) -> str:
        """See CustomWorkflows."""
        machine = checks.machine_of(self._machines, name)
        execution, text = checks.execution_name(id_), checks.check_input(given)
        self.subjects[execution] = id_

        def start() -> str:
            try:
                arn = self._manager.start_execution(machine, execution, text).arn
            except ExecutionAlreadyExists:
                self._story.note("was started before")
                arn = checks.execution_arn(machine, execution)
                checks.check_same_input(name, id_, self._manager.describe_execution(arn).input_text, text)
                return arn
            self._story.note(f"starts {name}")
            return arn

        return self._gate.cross(START, "StartExecution", start)

    def resume(self, token: str, output: Any) -> None:
        """See CustomWorkflows."""
        text = checks.text_of("output", output)
        self._send("SendTaskSuccess", lambda: self._manager.send_task_success(token, text))

    def fail(self, token: str, error: str, cause: str = "") -> None:
        """See CustomWorkflows."""
        checks.check_failure(error, cause)
        self._send("SendTaskFailure", lambda: self._manager.send_task_failure(token, error, cause))

    def heartbeat(self, token: str) -> None:
        """See CustomWorkflows."""
        self._send("SendTaskHeartbeat", lambda: self._manager.send_task_heartbeat(token))

    def _send(self, what: str, call: Callable[[], None]) -> None:
        def send() -> bool:
            try:
                call()
            except tuple(GONE) as error:
                self._story.note(f"finds the token used or gone at {what}")
                raise GONE[type(error)]("nothing waits for this token") from None
            self._story.note(f"answers by {what}")
            return True

        self._gate.cross(RESUME, what, send)
