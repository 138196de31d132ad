"""The states of the import state machines, with one router per function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handlers.consumers.state_router import StateRouter, Step
from handlers.imports.jobs.job_run import JobRun

if TYPE_CHECKING:
    from handlers.core.clock import Clock
    from handlers.state_machines.state_payload import StatePayload

JobStep = Step[JobRun]


def job_states(steps: Mapping[str, JobStep], clock: Clock) -> StateRouter[JobRun]:
    """The handler of one function's states."""
    return StateRouter(steps, _run_of, _about, clock)


def _run_of(payload: StatePayload) -> JobRun:
    """From the execution's input; in the children of a Distributed Map, from the batch."""
    batch = payload.input.get("BatchInput") if isinstance(payload.input, dict) else None
    return JobRun.parse(batch.get("Attributes") if isinstance(batch, dict) else payload.execution_input)


def _about(run: JobRun, payload: StatePayload) -> dict[str, Any]:
    position = payload.input.get("position") if isinstance(payload.input, dict) else None
    key = run.key
    about = {"pk": key.pk, "sk": key.sk, "tenant": key.tenant_code, "attempt": run.attempt}
    return about if position is None else {**about, "position": position}
