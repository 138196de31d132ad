"""The application's workflows in the simulated deployment: the samples' own definitions and classes, with faults."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from handlers.core.log import LOGGER_NAME
from handlers.store.port import Item
from handlers.workflows.approvals import Approvals
from handlers.workflows.workflow import state_methods
from infra.definitions.custom_workflows import FUNCTION, check_workflow, complete
from infra.definitions.workflow_sources import SUFFIX
from local.states.definition.model import STANDARD
from local.states.running.executions import RUNNING, Execution
from tests.modules import approval, three_steps, transfer
from tests.modules.approval import Approval
from tests.modules.three_steps import ThreeSteps
from tests.modules.transfer import Transfer
from tests.simulation import beats, deployment
from tests.simulation.beats import Beats, hand_over
from tests.simulation.ledger import LEDGER
from tests.simulation.plan import FaultPlan
from tests.simulation.sites import Visit
from tests.simulation.workflow_ports import GatedCustomWorkflows
from tests.simulation.workflow_watcher import TOKEN_MARK, WorkflowWatcher
from tests.simulation.world import Setup, SimulatedWorld

CLASSES: dict[str, type] = {"three_steps": ThreeSteps, "approval": Approval, "transfer": Transfer, "beats": Beats}
MODULES = {"three_steps": three_steps, "approval": approval, "transfer": transfer}
ARNS = {
    name: f"arn:aws:states:{deployment.REGION}:{deployment.ACCOUNT}:stateMachine:cqrs-sim-{name}" for name in CLASSES
}


@cache
def definition_text(name: str) -> str:
    """A workflow's definition as the deployment completes and checks it."""
    if name in MODULES:
        file = MODULES[name].__file__
        assert file is not None
        given: Mapping[str, Any] = json.loads(Path(file).with_name(f"{name}{SUFFIX}").read_text(encoding="utf-8"))
    else:
        given = beats.DEFINITION
    completed = complete(given)
    check_workflow(name, STANDARD, completed, state_methods(CLASSES[name]))
    return json.dumps(completed).replace(FUNCTION, deployment.function_arn("states"))


class SimulatedWorkflows(SimulatedWorld):
    """See the module's text."""

    modules = (
        "tests.simulation.ledger",
        "tests.modules.three_steps",
        "tests.modules.approval",
        "tests.modules.transfer",
        "tests.simulation.beats",
    )
    targets = (LEDGER,)
    custom_arns = ARNS

    def __init__(self, seed: int | None, plan: FaultPlan, setup: Setup | None = None) -> None:
        self.books = WorkflowWatcher()
        # Accounts remember their transfers: they stay inline. Sweeps are rare, since these runs last days.
        super().__init__(seed, plan, replace(setup or Setup(), inline_limit=65_536, sweep_minutes=60))
        self.books.watch(self.watcher, self.scheduler.now)
        self.approvals = Approvals(self.store, self.scheduler, self.workflow_port)
        self.tokens: dict[str, list[str]] = {}
        hand_over.set(lambda execution, token: self.tokens.setdefault(self.subject(execution), []).append(token))

    @property
    def workflow_port(self) -> GatedCustomWorkflows:
        """What starts executions and answers tokens."""
        assert isinstance(self.custom, GatedCustomWorkflows)
        return self.custom

    def subject(self, execution_name: str) -> str:
        """The id that an execution was started with."""
        return self.workflow_port.subjects[execution_name]

    def ended(self, name: str) -> list[Execution]:
        """The executions of a workflow, oldest first."""
        return list(reversed(self.executions.list_executions(ARNS[name])))

    def running(self) -> list[Execution]:
        """See SimulatedWorld."""
        custom = [one for arn in ARNS.values() for one in self.executions.list_executions(arn, RUNNING)]
        return super().running() + custom

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """While it runs, log lines go to the watcher: they may hold no token."""
        logger, listener = logging.getLogger(LOGGER_NAME), _Listener(self.books)
        before, local = (logger.level, logger.propagate), logging.getLogger("cqrs.local")
        local.setLevel(logging.CRITICAL + 1)
        logger.addHandler(listener)
        logger.propagate = False
        logger.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            logger.removeHandler(listener)
            logger.setLevel(before[0])
            logger.propagate = before[1]
            local.setLevel(logging.NOTSET)

    # -- inside -------------------------------------------------------------------------------------

    def _deploy(self, seed: int | None) -> None:
        self.custom = GatedCustomWorkflows(self.executions, ARNS, self.gate, self.story)
        super()._deploy(seed)
        for name, arn in ARNS.items():
            physical = arn.rpartition(":")[2]
            self.executions.create_state_machine(physical, definition_text(name), "arn:aws:iam::1:role/sim", STANDARD)

    def _changed(self, table: str, before: Item | None, after: Item | None) -> None:
        super()._changed(table, before, after)
        with self.watcher.looks_at(after or before or {}):
            self.books.changed(table, before, after)

    def _ended(self, execution: Execution) -> None:
        if execution.machine.arn not in ARNS.values():
            super()._ended(execution)
            return
        text = f"execution ended as {execution.status} {execution.error or ''} {execution.cause or ''}"
        self.story.note(text.rstrip()[:200], entity=self.subject(execution.name))
        if TOKEN_MARK in f"{execution.output} {execution.error} {execution.cause}":
            self.books.broken("WF-05", self.subject(execution.name), "the execution's end tells a token")

    def _visit_of(self, function: str, payload: Any) -> Visit:
        machine = payload["context"]["StateMachine"]["Id"] if "context" in payload else None
        if machine not in ARNS.values():
            return super()._visit_of(function, payload)
        execution, state = payload["context"]["Execution"], payload["context"]["State"]["Name"]
        return self.visit(self.subject(execution["Name"]), 0, state, execution["Id"])


class _Listener(logging.Handler):
    """Reads every line."""

    def __init__(self, books: WorkflowWatcher) -> None:
        super().__init__()
        self._books = books

    def emit(self, record: logging.LogRecord) -> None:
        """See logging.Handler."""
        error = record.exc_info[1] if record.exc_info else None
        self._books.logged(f"{record.getMessage()} {getattr(record, 'fields', '')} {error!r}")
