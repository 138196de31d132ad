"""The actions of people on a stack, for tests: approve, reject, redrive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from contract.options import FULL
from contract.outputs import ALARM_TOPIC_ARN, COMMAND_STATE_MACHINE_ARN, CUSTOM_STATE_MACHINE_ARNS, TABLE_NAME
from contract.tables import COMMANDS
from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.failure import FailureRecorder
from handlers.commands.pipeline.run import Progress
from handlers.commands.repository import CommandRepository
from handlers.commands.starter import CommandStarter
from handlers.core.clock import Clock
from handlers.core.context import InvokeContext
from handlers.operations.redrive import Redriver
from handlers.state_machines.stepfunctions import StepFunctions, StepFunctionsWorkflows
from handlers.store.port import TableStore
from handlers.topics.sns import SnsTopic
from handlers.workflows.approvals import EXPIRED, AlreadyDecided, Approvals
from local.aws.clients import client


class People:
    """People other than the publisher. ``outputs``: the stack's."""

    def __init__(self, store: TableStore, clock: Clock, outputs: Mapping[str, Any], region: str) -> None:
        self._store = store
        self._clock = clock
        self._outputs = outputs
        self._region = region

    def approve(self, workflow: str, request_id: str, who: InvokeContext) -> None:
        """Raises what ``Approvals.approve`` raises."""
        with _hint():
            self._approvals().approve(workflow, request_id, who)

    def reject(self, workflow: str, request_id: str, who: InvokeContext, reason: str) -> None:
        """Raises what ``Approvals.reject`` raises."""
        with _hint():
            self._approvals().reject(workflow, request_id, who, reason)

    def _approvals(self) -> Approvals:
        arns = self._outputs[CUSTOM_STATE_MACHINE_ARNS]
        workflows = StepFunctionsWorkflows(lambda: client("stepfunctions", self._region), arns)
        return Approvals(self._store, self._clock, workflows)

    def redrive(self, key: VersionKey) -> list[str]:
        """Redrive a failed version; returns its outcome and that of the versions after it. Raises NotFound."""
        repository = CommandRepository(self._store, self._clock.now)
        progress = Progress(self._store, self._clock, lease_seconds=1, detail=FULL)
        topic = SnsTopic(client("sns", self._region), self._outputs[ALARM_TOPIC_ARN])
        recorder = FailureRecorder(repository, progress, topic, self._outputs[TABLE_NAME[COMMANDS]])
        machine = self._outputs[COMMAND_STATE_MACHINE_ARN]
        starter = CommandStarter(StepFunctions(client("stepfunctions", self._region)), machine)
        redriver = Redriver(self._store, self._clock, starter, recorder, dry_run=False)
        return [one.outcome for one in redriver.version(key)]


def somebody_else(context: InvokeContext) -> InvokeContext:
    """Another user, since requesters may not approve their own requests."""
    return replace(context, user_id=f"not {context.user_id}")


@contextmanager
def _hint() -> Iterator[None]:
    try:
        yield
    except AlreadyDecided as error:
        if EXPIRED in str(error):
            error.add_note("run() lets all the time pass that something waits; run_for(60) before this leaves it open")
        raise
