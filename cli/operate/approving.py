"""What the commands about approvals work with, on a deployed stack."""

from __future__ import annotations

from functools import partial

from cli.operate.stack import Stack
from handlers.core.clock import SystemClock
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from handlers.workflows.approvals import Approvals


def approvals_of(stack: Stack) -> Approvals:
    """The stack's approvals. Nothing is started here, so no machine is named."""
    return Approvals(stack.store, SystemClock(), StepFunctionsWorkflows(partial(stack.client, "stepfunctions"), {}))
