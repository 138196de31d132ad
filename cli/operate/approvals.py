"""``./cqrs approvals``: lists open approvals."""

from __future__ import annotations

import argparse

from cli.doors.port import Approvals
from cli.operate.approving import on_approvals
from cli.operate.arguments import add_stack
from cli.output import as_json, table
from cli.terminal import show
from handlers.operations.key_text import pasteable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs approvals``."""
    parser.add_argument("--tenant", required=True, help="the tenant's code")
    parser.add_argument("--workflow", help="only approvals of this workflow")
    add_stack(parser)


def run(options: argparse.Namespace) -> int:
    """Print the open approvals. Raises CommandError."""
    return on_approvals(options, lambda approvals: run_on(approvals, options))


def run_on(approvals: Approvals, options: argparse.Namespace) -> int:
    """See ``run``. ``approvals``: the stack's or its API's."""
    found = approvals.open(options.tenant, options.workflow)
    if options.json:
        show(as_json(found))
    elif not found:
        show(f"No approval of tenant {options.tenant} is open.")
    else:
        rows = [
            (one.workflow, pasteable(one.request_id), one.subject, one.requested_by, one.requested_at) for one in found
        ]
        header = ("workflow", "request", "subject", "requested by", "since")
        show(table(f"Open approvals of tenant {options.tenant}", rows, header=header))
    return 0
