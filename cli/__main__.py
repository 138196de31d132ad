"""``python -m cli``: where ``./cqrs`` hands on to."""

from __future__ import annotations

import argparse
import importlib
import sys
from types import ModuleType
from typing import NoReturn

from cli import stopping
from cli.develop.errors import CommandError
from cli.terminal import FAILED, complain, ended, show
from handlers.core.text import visible

USAGE = 2

#: Command to its module and one line of help. A module has ``add_arguments(parser)`` and ``run(options) -> exit code``;
#: it is imported when it is used, since the embedded runtime alone takes a second.
COMMANDS = {
    "demo": ("cli.demo.command", "deploy on the embedded runtime, run real data through it"),
    "serve": ("cli.develop.serve", "keep the embedded runtime up for the AWS CLI and SDKs"),
    "test": ("cli.develop.test", "lint, type check and test; what CI runs"),
    "bench": ("bench.cli", "figures: calls and dollars per command, growth, cold start"),
    "docs": ("cli.develop.docs", "write the generated parts of docs/ anew"),
    "import": ("cli.imports.import_file", "import a CSV file, or a ZIP archive of them, into the stack"),
    "imports": ("cli.imports.jobs", "list, show, retry and cancel imports, print their reports"),
    "explain": ("cli.operate.explain", "why is it stuck, and what to do"),
    "redrive": ("cli.operate.redrive", "try failed commands again"),
    "skip": ("cli.operate.skip", "leave a failed command out, so that its successors go on"),
    "resync": ("cli.operate.resync", "hand the read model to a sync target again"),
    "approvals": ("cli.operate.approvals", "what waits for a person to decide"),
    "approve": ("cli.operate.approve", "answer an approval, yes or no"),
    "tasks": ("cli.operate.tasks", "list, show, retry and cancel tasks"),
}


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit code; every known error is one clear line."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        show(_overview())
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        return _refused(f"unknown command {name!r}; known: {', '.join(COMMANDS)}", USAGE)
    module = importlib.import_module(COMMANDS[name][0])
    options = _parse(name, module, rest)
    try:
        code: int = module.run(options)
    except CommandError as error:
        return _refused(str(error), FAILED)
    return code


def _refused(text: str, code: int) -> int:
    for line in text.split("\n"):
        complain(f"cqrs: error: {line}")
    return code


def parser_of(name: str) -> argparse.ArgumentParser:
    """The options of one command."""
    return _parser(name, importlib.import_module(COMMANDS[name][0]))


class _Parser(argparse.ArgumentParser):
    """Errors are one line, like all others; the usage is a question away."""

    def error(self, message: str) -> NoReturn:
        text = message[:1].lower() + message[1:]
        self.exit(_refused(visible(f"{text} (see {self.prog} --help)"), USAGE))


def _parser(name: str, module: ModuleType) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"./cqrs {name}", description=COMMANDS[name][1], allow_abbrev=False)
    module.add_arguments(parser)
    return parser


def _parse(name: str, module: ModuleType, arguments: list[str]) -> argparse.Namespace:
    parser = _parser(name, module)
    if name != "test":
        return parser.parse_args(arguments)
    # What `test` doesn't know is for pytest, in the order given.
    options, others = parser.parse_known_args(arguments)
    options.pytest = [one for one in arguments if one in options.pytest or one in others]
    return options


def _overview() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  ./cqrs {name.ljust(width)}  {text}" for name, (_, text) in COMMANDS.items()]
    return "\n".join(["A CQRS backbone for AWS.", "", *lines, "", "./cqrs <command> --help tells its options."])


if __name__ == "__main__":
    stopping.install()
    sys.exit(ended(lambda: main(sys.argv[1:])))
