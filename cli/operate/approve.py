"""``./cqrs approve``: approves or rejects."""

from __future__ import annotations

import argparse

from cli.doors.port import Approvals
from cli.operate.approving import on_approvals
from cli.operate.arguments import add_stack
from cli.output import as_json
from cli.terminal import show
from handlers.operations.key_text import pasteable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs approve``."""
    parser.add_argument("workflow", metavar="WORKFLOW", help="name of the workflow, such as approval")
    parser.add_argument("request", metavar="REQUEST", help="the request id; `./cqrs approvals` lists them")
    parser.add_argument("--tenant", required=True, help="the tenant's code")
    parser.add_argument(
        "--by", metavar="NAME", help="name of the person who decides, which is stored (with --api: the caller)"
    )
    parser.add_argument("--reject", metavar="REASON", help="reject, with this reason")
    add_stack(parser)


def run(options: argparse.Namespace) -> int:
    """Answer one approval. Raises CommandError."""
    return on_approvals(options, lambda approvals: run_on(approvals, options), by=options.by)


def run_on(approvals: Approvals, options: argparse.Namespace) -> int:
    """See ``run``. ``approvals``: the stack's or its API's."""
    answered = approvals.answer(options.tenant, options.workflow, options.request, options.reject)
    if options.json:
        show(as_json(answered))
    else:
        show(f"{answered.workflow} {pasteable(answered.request_id)}: {answered.status} by {answered.decided_by}")
        if not answered.delivered:
            show(
                "Nothing was waiting for this answer. If the workflow is still running, it will find the decision; "
                "see its execution."
            )
    return 0
