"""``python -m local.cli``: where ``./cqrs`` hands on to."""

from __future__ import annotations

import argparse
import sys

from local.cli import check
from local.cli.errors import CommandError

INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run one command. Returns the exit code; every known error is one clear line."""
    parser = argparse.ArgumentParser(prog="./cqrs", description="A CQRS backbone for AWS.")
    commands = parser.add_subparsers(dest="command", required=True)
    check.add_arguments(commands.add_parser("test", help="lint, type check and test"))
    known, rest = parser.parse_known_args(arguments) if arguments[:1] == ["test"] else (None, [])
    if known is not None:
        known.pytest = [*known.pytest, *rest]
        return check.run(known)
    return _run_local(parser, commands, arguments)


def _run_local(
    parser: argparse.ArgumentParser,
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    arguments: list[str],
) -> int:
    # The embedded runtime takes a second to import; `./cqrs test` does without it.
    from local.cli import demo, serve

    demo.add_arguments(commands.add_parser("demo", help="deploy on the embedded runtime, run real data through it"))
    serve.add_arguments(commands.add_parser("serve", help="keep the embedded runtime up for the AWS CLI and SDKs"))
    options = parser.parse_args(arguments)
    try:
        return demo.run(options) if options.command == "demo" else serve.run(options)
    except CommandError as error:
        print(f"cqrs: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ncqrs: stopped", file=sys.stderr)
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
