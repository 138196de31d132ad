"""State machines and executions as the manager keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.deadlines import Deadline
from local.scheduler import Task
from local.states.data.timestamps import format_timestamp
from local.states.definition.model import STANDARD, Definition
from local.states.limits import HISTORY_EVENTS, dumps
from local.states.running.history import History, visited_states
from local.states.running.steps import NO_STEPS, Steps
from local.workers import HeldTime

RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
TIMED_OUT = "TIMED_OUT"
ABORTED = "ABORTED"


@dataclass(eq=False)
class Machine:
    """A state machine. Times in epoch seconds."""

    arn: str
    name: str
    type: str
    role_arn: str
    text: str
    definition: Definition
    created: float
    updated: float


@dataclass(eq=False, slots=True)
class Execution:
    """One execution of a machine. It keeps the definition with which it started. Times in epoch seconds.

    ``output`` is the parsed output of a SUCCEEDED execution; ``error`` and ``cause`` are set for the others.
    """

    arn: str
    name: str
    machine: Machine
    definition: Definition
    input_text: str
    input: Any
    started: float
    status: str = RUNNING
    stopped: float | None = None
    output: Any = None
    error: str | None = None
    cause: str | None = None
    history: History = field(default_factory=History)
    task: Task | None = None
    timer: Deadline | None = None
    #: the time that calls of its states waited for this machine
    held: HeldTime = field(default_factory=HeldTime)
    steps: Steps = NO_STEPS
    #: of a child of a Distributed Map: the Map Run's ARN, how many items it has, and the listener for its end
    map_run: str | None = None
    items: int = 0
    on_end: Callable[[Execution], None] | None = None
    #: the parts of the context object that are the same in every state
    context: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.history.limit = HISTORY_EVENTS if self.machine.type == STANDARD else None
        self.context = {
            "Execution": {
                "Id": self.arn,
                "Input": self.input,
                "Name": self.name,
                "RoleArn": self.machine.role_arn,
                "StartTime": format_timestamp(self.started),
                "RedriveCount": 0,
            },
            "StateMachine": {"Id": self.machine.arn, "Name": self.machine.name},
        }

    @property
    def output_text(self) -> str | None:
        """The output as JSON text, None unless SUCCEEDED."""
        return dumps(self.output) if self.status == SUCCEEDED else None

    def described(self) -> dict[str, Any]:
        """As DescribeExecution returns it, for its status event."""
        return {
            "executionArn": self.arn,
            "stateMachineArn": self.machine.arn,
            "name": self.name,
            "status": self.status,
            "startDate": self.started,
            "stopDate": self.stopped,
            "input": self.input_text,
            "output": self.output_text,
            "error": self.error,
            "cause": self.cause,
        }

    @property
    def waits_for_answer(self) -> bool:
        """Whether its last event is that a function got a task token."""
        events = self.history.events
        return bool(events) and events[-1].type == "TaskSubmitted"

    def visited(self) -> list[str]:
        """Names of the states in the order in which they were entered (from the history)."""
        return visited_states(self.history.events)


class KeptExecutions(Protocol):
    """Stores executions, without their steps. All methods but ``reported`` are called with the manager's lock held."""

    def begun(self, execution: Execution) -> None:
        """The execution was started; sets its steps."""

    def ended(self, execution: Execution) -> None:
        """The execution has ended, but its end has not been reported yet."""

    def reported(self, execution: Execution) -> None:
        """Its end has been reported to all listeners."""

    def dropped(self, execution: Execution) -> None:
        """It can no longer be described; its name remains taken."""
