"""``./cqrs approve``: answers an approval, yes or no."""

from __future__ import annotations

import argparse

from cli.operate.approving import approvals_of
from cli.operate.arguments import add_stack
from cli.operate.stack import Stack, on_stack
from cli.output import as_json
from cli.terminal import show
from handlers.core.context import InvokeContext
from handlers.operations.key_text import pasteable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs approve``."""
    parser.add_argument("workflow", metavar="WORKFLOW", help="the workflow that asks, such as approval")
    parser.add_argument("request", metavar="REQUEST", help="the request id; `./cqrs approvals` lists them")
    parser.add_argument("--tenant", required=True, help="the tenant's code")
    parser.add_argument("--by", required=True, metavar="NAME", help="who decides; it is stored")
    parser.add_argument("--reject", metavar="REASON", help="say no, and why")
    add_stack(parser)


def run(options: argparse.Namespace) -> int:
    """Answer one approval. Raises CommandError."""
    return on_stack(options, lambda stack: _answer(stack, options))


def _answer(stack: Stack, options: argparse.Namespace) -> int:
    approvals, context = approvals_of(stack), InvokeContext(options.by, options.tenant)
    if options.reject is None:
        answered = approvals.approve(options.workflow, options.request, context)
    else:
        answered = approvals.reject(options.workflow, options.request, context, options.reject)
    if options.json:
        show(as_json(answered))
    else:
        show(f"{answered.workflow} {pasteable(answered.request_id)}: {answered.status} by {answered.decided_by}")
        if not answered.delivered:
            show(
                "Nothing waited for this answer. If the workflow still runs, it finds the decision; see its execution."
            )
    return 0
