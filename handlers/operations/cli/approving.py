"""What the commands about approvals work with, on a deployed stack."""

from __future__ import annotations

from functools import partial

from handlers.clock import SystemClock
from handlers.operations.cli.stack import Stack
from handlers.workflows.approvals import Approvals
from handlers.workflows.stepfunctions import StepFunctionsWorkflows


def approvals_of(stack: Stack) -> Approvals:
    """The stack's approvals. Nothing is started here, so no machine is named."""
    return Approvals(stack.store, SystemClock(), StepFunctionsWorkflows(partial(stack.client, "stepfunctions"), {}))
