"""``python -m cli``, which ``./cqrs`` runs once the environment is ready."""

from __future__ import annotations

import argparse
import importlib
import sys
from types import ModuleType
from typing import NoReturn

from cli import stopping
from cli.commands import COMMANDS, overview
from cli.develop.errors import CommandError
from cli.terminal import FAILED, complain, ended, show
from handlers.core.values.text import visible

USAGE = 2


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit code; every known error is one clear line."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        show(overview())
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        return _refused(f"unknown command {name!r}; known: {', '.join(COMMANDS)}", USAGE)
    module = importlib.import_module(COMMANDS[name].module)
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
    return _parser(name, importlib.import_module(COMMANDS[name].module))


class _Parser(argparse.ArgumentParser):
    """Prints errors as one line, like all others; ``--help`` prints the usage."""

    def error(self, message: str) -> NoReturn:
        text = message[:1].lower() + message[1:]
        self.exit(_refused(visible(f"{text} (see {self.prog} --help)"), USAGE))


def _parser(name: str, module: ModuleType) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"./cqrs {name}", description=COMMANDS[name].help, allow_abbrev=False)
    module.add_arguments(parser)
    return parser


def _parse(name: str, module: ModuleType, arguments: list[str]) -> argparse.Namespace:
    parser = _parser(name, module)
    if name != "test":
        return parser.parse_args(arguments)
    # Arguments unknown to `test` are passed to pytest, in the given order.
    options, others = parser.parse_known_args(arguments)
    options.pytest = [one for one in arguments if one in options.pytest or one in others]
    return options


if __name__ == "__main__":
    stopping.install()
    sys.exit(ended(lambda: main(sys.argv[1:])))
