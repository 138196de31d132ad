"""Access of the approval commands to the stack itself, or the choice of its HTTP API."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from cli.doors.port import Approvals
from cli.errors import CommandError
from cli.operate.stack import Stack, on_stack
from handlers.core.clock import SystemClock
from handlers.core.context import InvokeContext
from handlers.state_machines.stepfunctions import StepFunctionsWorkflows
from handlers.workflows import approvals


class StackApprovals:
    """``cli.doors.port.Approvals`` on tables and machines, with the user's credentials. ``by``: name of the decider."""

    def __init__(self, stack: Stack, by: str | None = None) -> None:
        # Nothing is started here, so no machine is needed.
        workflows = StepFunctionsWorkflows(partial(stack.client, "stepfunctions"), {})
        self._approvals = approvals.Approvals(stack.store, SystemClock(), workflows)
        self._by = by

    def open(self, tenant: str, workflow: str | None) -> list[approvals.Approval]:
        """See ``Approvals``."""
        return list(self._approvals.list_open(tenant, workflow=workflow))

    def answer(self, tenant: str, workflow: str, request: str, rejected_for: str | None) -> approvals.Approval:
        """See ``Approvals``."""
        if self._by is None:
            raise CommandError("give --by NAME, the person who decides; it is stored")
        context = InvokeContext(self._by, tenant)
        if rejected_for is None:
            return self._approvals.approve(workflow, request, context)
        return self._approvals.reject(workflow, request, context, rejected_for)


def on_approvals(options: argparse.Namespace, work: Callable[[Approvals], int], *, by: str | None = None) -> int:
    """Run a command on the stack or API that its options name. Returns its exit code. Raises CommandError."""
    if options.api is None:
        return on_stack(options, lambda stack: work(StackApprovals(stack, by)))
    if by is not None:
        raise CommandError("--by can't be used with --api, where the caller decides")
    from cli.doors.approvals import ApiApprovals  # imports the client, which is only needed here
    from cli.doors.by_api import on_api

    return on_api(options, lambda api: work(ApiApprovals(api)))
