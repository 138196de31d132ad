"""``./cqrs redrive``: redrives failed commands."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from typing import Any

from cli.doors.port import Operations
from cli.errors import CommandError
from cli.operate.arguments import KEY_HELP, add_dry_run, add_stack, positive, since
from cli.operate.machinery import on_operations
from cli.output import as_json, table
from cli.terminal import show
from contract.command_status import FAILED
from handlers.operations.failed import Selection
from handlers.operations.key_text import parse_key, pasteable
from handlers.operations.redrive import NOT_STARTED, Redriven

SHOWN = 50
#: Maximum number of commands per run, unless --limit is given.
MOST = 10_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs redrive``."""
    parser.add_argument("key", nargs="*", metavar="KEY", help=f"{KEY_HELP}; omit it to use a selection")
    parser.add_argument("--since", metavar="T", help="failed since 2026-01-31T09:00:00Z, or 90m, 2h, 3d ago")
    parser.add_argument("--status", help="FAILED: all failures; or those of one state, such as sync_data:FAILED")
    parser.add_argument("--tenant", help="only this tenant")
    parser.add_argument("--type", help="only this type")
    parser.add_argument("--limit", type=positive, default=MOST, help=f"maximum number of commands (default {MOST:,})")
    add_dry_run(parser)
    add_stack(parser)


def run(options: argparse.Namespace) -> int:
    """Redrive the named or selected commands. Returns 1 if one could not be started at once. Raises CommandError."""
    return on_operations(options, lambda operations: run_on(operations, options))


def run_on(operations: Operations, options: argparse.Namespace) -> int:
    """See ``run``. ``operations``: the stack's or its API's."""
    selects = any(value is not None for value in (options.since, options.status, options.tenant, options.type))
    if bool(options.key) == selects:
        raise CommandError("give either a KEY, or a selection: --since T, --status FAILED (--tenant, --type)")
    if options.key:
        key, version = parse_key(" ".join(options.key))
        outcomes = operations.redrive(key, version, dry_run=options.dry_run)
        if not any(one.changed for one in outcomes):
            raise CommandError(f"{pasteable(outcomes[0].key)}: {outcomes[0].note}")
        return _report(outcomes, options, more=False)
    outcomes, more = operations.redrive_all(_selection(options), options.limit, dry_run=options.dry_run)
    return _report(outcomes, options, more=more)


def _selection(options: argparse.Namespace) -> Selection:
    begin = None if options.since is None else since(options.since, time.time())
    return Selection(begin, options.status or FAILED, options.tenant, options.type)


def _report(outcomes: list[Redriven], options: argparse.Namespace, *, more: bool) -> int:
    counts = Counter(one.outcome for one in outcomes)
    if options.json:
        entries = [_entry(one) for one in outcomes]
        show(as_json({"dryRun": options.dry_run, "outcomes": entries, "counts": counts, "more": more}))
    else:
        show(rendered(outcomes, counts, dry_run=options.dry_run, more=more))
    return 1 if any(one.note.startswith(NOT_STARTED) for one in outcomes) else 0


def rendered(outcomes: list[Redriven], counts: Counter[str], *, dry_run: bool, more: bool) -> str:
    """The outcomes as tables."""
    if not outcomes:
        return "no failed command in this selection"
    rows = [(pasteable(one.key), one.outcome, one.attempt, one.note) for one in outcomes[:SHOWN]]
    title = "Redrive (dry run: nothing was changed)" if dry_run else "Redrive"
    parts = [table(title, rows, header=("command", "outcome", "attempt", "note"))]
    if len(outcomes) > SHOWN:
        parts.append(f"  ... and {len(outcomes) - SHOWN:,} more (--json lists all)")
    parts.append(table("Outcomes", sorted(counts.items()), header=("outcome", "commands")))
    if more:
        parts.append("There are more failed commands: run it again.")
    return "\n\n".join(parts)


def _entry(one: Redriven) -> dict[str, Any]:
    return {"key": str(one.key), "outcome": one.outcome, "attempt": one.attempt, "note": one.note}
