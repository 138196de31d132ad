"""The workflow ports in memory, which record starts and completions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.core.errors import NotFound, TokenExpired, TokenInvalid, TokenUnknown, TransientError, TransientThrottle
from handlers.state_machines import checks
from handlers.state_machines.port import ExecutionPage, WorkflowExecution


class MemoryWorkflows:
    """See ``StateMachines``. ``open_tokens``: tokens that something waits for; ``refuse_starts`` throttles;
    ``lost_answer`` is raised after a successful start.
    """

    def __init__(self) -> None:
        self.started: dict[tuple[str, str], dict[str, Any]] = {}
        self.open_tokens: set[str] = set()
        self.resumed: list[tuple[str, dict[str, Any]]] = []
        self.refuse_starts = False
        self.lost_answer: TransientError | None = None

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See StateMachines."""
        if self.refuse_starts:
            raise TransientThrottle("starts are refused", refused=True)
        if (machine, name) in self.started:
            return False
        self.started[machine, name] = dict(payload)
        if self.lost_answer is not None:
            raise self.lost_answer
        return True

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See StateMachines."""
        if token not in self.open_tokens:
            return False
        self.open_tokens.discard(token)
        self.resumed.append((token, dict(output)))
        return True


class MemoryCustomWorkflows:
    """See ``CustomWorkflows``. Tests create tokens with ``open``; ``answers`` records their completions."""

    #: Prefix of valid tokens.
    PREFIX = "token-"

    def __init__(self, machines: Mapping[str, str]) -> None:
        self._machines = dict(machines)
        self.started: dict[str, tuple[str, dict[str, Any]]] = {}
        self.open_tokens: set[str] = set()
        self.closed_tokens: set[str] = set()
        self.answers: list[tuple[str, str, Any]] = []
        self._places: dict[str, int] = {}

    def open(self, name: str) -> str:
        """Create a token that a state waits for."""
        token = self.PREFIX + name
        self.open_tokens.add(token)
        return token

    def close(self, token: str) -> None:
        """Let the token's wait time out."""
        self.open_tokens.discard(token)
        self.closed_tokens.add(token)

    def start(self, name: str, given: Mapping[str, Any], id_: str) -> str:
        """See CustomWorkflows."""
        machine = checks.machine_of(self._machines, name)
        execution = checks.execution_name(id_)
        text = checks.check_input(given)
        arn = checks.execution_arn(machine, execution)
        if arn in self.started:
            checks.check_same_input(name, id_, checks.check_input(self.started[arn][1]), text)
        self.started.setdefault(arn, (name, dict(given)))
        return arn

    def execution(self, name: str, id_: str) -> WorkflowExecution:
        """See CustomWorkflows. Every execution runs."""
        arn = checks.execution_arn(checks.machine_of(self._machines, name), checks.execution_name(id_))
        if arn not in self.started:
            raise NotFound(f"{arn}: there is no such execution")
        return WorkflowExecution(arn, "RUNNING", 0.0, self.started[arn][1])

    def executions(self, name: str, prefix: str, *, limit: int, page: str | None = None) -> ExecutionPage:
        """See ShownWorkflows. Every execution runs."""
        machine = checks.machine_of(self._machines, name)
        begun = 0 if page is None else self._places.get(checks.check_page(page))
        if begun is None:
            raise checks.not_a_page(str(page))
        arns = [arn for arn in reversed(self.started) if self.started[arn][0] == name][begun : begun + limit + 1]
        beginning = checks.execution_arn(machine, checks.readable(prefix))
        items = [
            WorkflowExecution(arn, "RUNNING", 0.0, self.started[arn][1])
            for arn in arns[:limit]
            if arn.startswith(beginning)
        ]
        following = f"page-{begun + limit}" if len(arns) > limit else None
        if following is not None:
            self._places[following] = begun + limit
        return ExecutionPage(items, following)

    def resume(self, token: str, output: Any) -> None:
        """See CustomWorkflows."""
        checks.check_payload("output", output)
        self._take(token)
        self.answers.append((token, "resumed", output))

    def fail(self, token: str, error: str, cause: str = "") -> None:
        """See CustomWorkflows."""
        failure = checks.check_failure(error, cause)
        self._take(token)
        self.answers.append((token, "failed", failure))

    def heartbeat(self, token: str) -> None:
        """See CustomWorkflows."""
        self._find(token)
        self.answers.append((token, "heartbeat", None))

    def _take(self, token: str) -> None:
        self._find(token)
        self.close(token)

    def _find(self, token: str) -> None:
        checks.check_token(token)
        if not token.startswith(self.PREFIX):
            raise TokenInvalid("nothing waits for this token: it is none")
        if token in self.closed_tokens:
            raise TokenExpired("nothing waits for this token: it was answered or has timed out")
        if token not in self.open_tokens:
            raise TokenUnknown("nothing waits for this token: it is unknown")
