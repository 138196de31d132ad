"""The commands of ``./cqrs``, each registered here and nowhere else.

The launcher reads this before there is an environment: standard library only, and nothing of ours.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

DEPLOY, LOCAL, DEVELOP = "requirements.txt", "requirements-local.txt", "requirements-dev.txt"
#: Each includes those before it.
REQUIREMENTS = (DEPLOY, LOCAL, DEVELOP)


class Registered(NamedTuple):
    """``module`` has ``add_arguments(parser)`` and ``run(options) -> exit code``; it is imported when it is used, since
    the embedded runtime alone takes a second. ``usage`` follows the command's name in the overview.
    """

    module: str
    help: str
    requirements: str = DEPLOY
    usage: str = ""


#: For those who work on the repository, and for operators of a stack.
FOR_DEVELOPERS = {
    "demo": Registered("cli.demo.command", "deploy on the embedded runtime, run real data through it", LOCAL),
    "serve": Registered("cli.develop.serve", "keep the embedded runtime up for the AWS CLI and SDKs", LOCAL),
    "up": Registered("cli.develop.up", "deploy with the real Pulumi CLI on what `serve --engine` keeps", LOCAL),
    "test": Registered("cli.develop.test", "lint, type check and test; what CI runs", DEVELOP),
    "new": Registered(
        "cli.develop.new", "begin a sync handler, import, task, workflow, approval or saga", LOCAL, usage="KIND NAME"
    ),
    "check": Registered("cli.develop.check", "your stacks against the rules and what was reviewed of them", LOCAL),
    "preview": Registered("cli.develop.preview", "what a change would change in a stack, without AWS", LOCAL),
    "bench": Registered("bench.cli", "figures: calls and dollars per command, growth, cold start", LOCAL),
    "docs": Registered("cli.develop.docs", "write the generated parts of docs/ anew", LOCAL),
}
FOR_OPERATORS = {
    "import": Registered(
        "cli.imports.import_file", "import a file of CSV or JSON Lines, or an archive, into the stack", usage="FILE"
    ),
    "imports": Registered(
        "cli.imports.jobs", "list, show, retry and cancel imports, print their reports", usage="list"
    ),
    "explain": Registered("cli.operate.explain", "why is it stuck, and what to do", usage="KEY"),
    "redrive": Registered("cli.operate.redrive", "try failed commands again", usage="KEY"),
    "skip": Registered("cli.operate.skip", "leave a failed command out, so that its successors go on", usage="KEY"),
    "resync": Registered("cli.operate.resync", "hand the read model to a sync target again", usage="TARGET"),
    "approvals": Registered("cli.operate.approvals", "what waits for a person to decide"),
    "approve": Registered("cli.operate.approve", "answer an approval, yes or no", usage="WORKFLOW REQUEST"),
    "tasks": Registered("cli.operate.tasks", "list, show, retry and cancel tasks", usage="list"),
}
COMMANDS = {**FOR_DEVELOPERS, **FOR_OPERATORS}


def overview() -> str:
    """What ``./cqrs --help`` prints."""
    parts = ["A CQRS backbone for AWS.", *(_lines(group.items()) for group in (FOR_DEVELOPERS, FOR_OPERATORS))]
    return "\n\n".join([*parts, "./cqrs <command> --help tells its options."])


def _lines(commands: Iterable[tuple[str, Registered]]) -> str:
    rows = [(" ".join(filter(None, ("./cqrs", name, one.usage))), one.help) for name, one in commands]
    width = max(len(usage) for usage, _ in rows)
    return "\n".join(f"  {usage.ljust(width)}  {text}" for usage, text in rows)
