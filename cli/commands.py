"""The registry of the commands of ``./cqrs``.

The launcher imports this before there is an environment: only the standard library, and none of our packages.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

DEPLOY, LOCAL, DEVELOP = "requirements.txt", "requirements-local.txt", "requirements-dev.txt"
#: Each file includes the ones before it.
REQUIREMENTS = (DEPLOY, LOCAL, DEVELOP)


class Registered(NamedTuple):
    """``module`` has ``add_arguments(parser)`` and ``run(options) -> exit code``; it is only imported when used, since
    importing the embedded runtime takes a second. ``usage`` follows the command's name in the overview.
    """

    module: str
    help: str
    requirements: str = DEPLOY
    usage: str = ""


#: Commands for developers of the repository, and for operators of a stack.
FOR_DEVELOPERS = {
    "demo": Registered("cli.demo.command", "deploy on the embedded runtime and run real data through it", LOCAL),
    "serve": Registered("cli.develop.serve", "run the embedded runtime for the AWS CLI and SDKs", LOCAL),
    "up": Registered("cli.develop.up", "deploy with the real Pulumi CLI to `serve --engine`", LOCAL),
    "test": Registered("cli.develop.test", "lint, type-check and test, as CI does", DEVELOP),
    "new": Registered(
        "cli.develop.new", "begin a sync handler, import, task, workflow, approval or saga", LOCAL, usage="KIND NAME"
    ),
    "check": Registered("cli.develop.check", "check your stacks against the rules and their reviewed state", LOCAL),
    "preview": Registered("cli.develop.preview", "show what a change would do to a stack, without AWS", LOCAL),
    "bench": Registered("bench.cli", "print figures: calls and dollars per command, growth, cold start", LOCAL),
    "docs": Registered("cli.develop.docs", "regenerate the generated parts of docs/", LOCAL),
}
FOR_OPERATORS = {
    "import": Registered(
        "cli.imports.import_file", "import a CSV or JSON Lines file, or an archive, into the stack", usage="FILE"
    ),
    "imports": Registered(
        "cli.imports.jobs", "list, show, retry and cancel imports, and print their reports", usage="list"
    ),
    "explain": Registered("cli.operate.explain", "show why a command is stuck, and what to do", usage="KEY"),
    "redrive": Registered("cli.operate.redrive", "redrive failed commands", usage="KEY"),
    "skip": Registered("cli.operate.skip", "skip a failed command, so that its successors can proceed", usage="KEY"),
    "resync": Registered("cli.operate.resync", "deliver the read model to a sync target again", usage="TARGET"),
    "approvals": Registered("cli.operate.approvals", "list open approvals"),
    "approve": Registered("cli.operate.approve", "approve or reject", usage="WORKFLOW REQUEST"),
    "tasks": Registered("cli.operate.tasks", "list, show, retry and cancel tasks", usage="list"),
}
COMMANDS = {**FOR_DEVELOPERS, **FOR_OPERATORS}


def overview() -> str:
    """What ``./cqrs --help`` prints."""
    parts = ["A CQRS backbone for AWS.", *(_lines(group.items()) for group in (FOR_DEVELOPERS, FOR_OPERATORS))]
    return "\n\n".join([*parts, "./cqrs <command> --help lists its options."])


def _lines(commands: Iterable[tuple[str, Registered]]) -> str:
    rows = [(" ".join(filter(None, ("./cqrs", name, one.usage))), one.help) for name, one in commands]
    width = max(len(usage) for usage, _ in rows)
    return "\n".join(f"  {usage.ljust(width)}  {text}" for usage, text in rows)
