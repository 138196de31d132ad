"""``./cqrs skip``: skips a failed command."""

from __future__ import annotations

import argparse

from cli.doors.port import Operations
from cli.errors import CommandError
from cli.operate.arguments import add_dry_run, add_stack
from cli.operate.machinery import on_operations
from cli.output import as_json, table
from cli.terminal import show
from handlers.commands.keys import VersionKey
from handlers.operations.key_text import parse_key, pasteable
from handlers.operations.skip import Skipped


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs skip``."""
    parser.add_argument("key", nargs="+", metavar="KEY", help="with its version: 'TENANT#t1 ORDER#o1@3'")
    add_dry_run(parser)
    add_stack(parser)


def run(options: argparse.Namespace) -> int:
    """Skip one command. Raises CommandError."""
    return on_operations(options, lambda operations: run_on(operations, options))


def run_on(operations: Operations, options: argparse.Namespace) -> int:
    """See ``run``. ``operations``: the stack's or its API's."""
    key, version = parse_key(" ".join(options.key))
    if version is None:
        example = pasteable(f"{key}@3")
        raise CommandError(
            f"{pasteable(key)}: name the version to skip, such as {example}; `./cqrs explain` shows them"
        )
    skipped = operations.skip(VersionKey(key, version), dry_run=options.dry_run)
    if options.json:
        show(as_json({**plain(skipped), "dryRun": skipped.dry_run}))
    else:
        show(rendered(skipped))
    return 0


def plain(skipped: Skipped) -> dict[str, object]:
    """The result as JSON."""
    return {
        "key": str(skipped.key),
        "attempt": skipped.attempt,
        "appliedTargets": skipped.applied,
        "woken": skipped.woken,
        "expiredSuccessor": None if skipped.expired is None else str(skipped.expired),
    }


def rendered(skipped: Skipped) -> str:
    """The result as a table."""
    applied = ", ".join(f"{target} ({outcome})" for target, outcome in skipped.applied.items())
    rows = [
        ("command", f"{pasteable(skipped.key)}, attempt {skipped.attempt}"),
        ("targets that have it", applied or "none"),
    ]
    if skipped.expired is not None:
        rows.append(("successor", f"its wait has expired; next: ./cqrs redrive {pasteable(skipped.expired)}"))
    elif not skipped.dry_run:
        rows.append(("successor", "woken" if skipped.woken else "none was waiting"))
    title = "Skip (dry run: nothing was changed)" if skipped.dry_run else "Skipped"
    return table(title, rows)
