"""``./cqrs explain``: shows why a command is stuck."""

from __future__ import annotations

import argparse

from cli.doors.port import Operations
from cli.operate.arguments import KEY_HELP, add_stack
from cli.operate.machinery import on_operations
from cli.output import as_json, one_line, table
from cli.terminal import show
from handlers.operations.explain import Explanation, VersionView
from handlers.operations.key_text import parse_key, pasteable

HEADER = ("version", "stands", "status", "attempt", "time", "blocked by", "targets", "error")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``./cqrs explain``."""
    parser.add_argument("key", nargs="+", metavar="KEY", help=KEY_HELP)
    add_stack(parser)


def run(options: argparse.Namespace) -> int:
    """Print an explanation. Raises CommandError."""
    return on_operations(options, lambda operations: run_on(operations, options))


def run_on(operations: Operations, options: argparse.Namespace) -> int:
    """See ``run``. ``operations``: the stack's or its API's."""
    key, version = parse_key(" ".join(options.key))
    explanation = operations.explain(key, version)
    show(as_json(explanation) if options.json else rendered(explanation))
    return 0


#: Shown for rows without a timestamp, which other programs wrote.
UNKNOWN_TIME = "at an unknown time"


def rendered(explanation: Explanation) -> str:
    """The explanation as tables."""
    parts = [table(pasteable(explanation.key), [("read model", _data(explanation))])]
    if explanation.versions:
        title = "Versions (older ones are not shown)" if explanation.older_versions else "Versions"
        parts.append(table(title, [_row(view) for view in explanation.versions], header=HEADER))
    parts.append(table("What to do", [(line,) for line in explanation.what_to_do]))
    return "\n\n".join(parts)


def _data(explanation: Explanation) -> str:
    data = explanation.data
    if data is None:
        return "nothing applied yet"
    deleted = ", deleted" if data["isDeleted"] else ""
    return f"version {data['version']}{deleted}, published {data['updatedAt'] or UNKNOWN_TIME}"


def _row(view: VersionView) -> tuple[object, ...]:
    blocked = view.blocked_by
    error = view.error
    return (
        view.version,
        view.situation,
        view.status,
        view.attempt,
        _time(view),
        "" if blocked is None else f"@{blocked.root} {blocked.root_situation}",
        ", ".join(f"{target} {outcome}" for target, outcome in view.targets.items()),
        "" if error is None else one_line(f"{error['type']}: {error['message']}"),
    )


def _time(view: VersionView) -> str:
    if view.lease is not None and view.lease.live:
        return f"lease until {_seconds(view.lease.until)}"
    if view.failed_at is not None:
        return f"failed {_seconds(view.failed_at)}"
    if view.waiting_since is not None:
        return f"waits since {_seconds(view.waiting_since)}"
    return f"published {_seconds(view.published_at)}"


def _seconds(timestamp: str) -> str:
    """A timestamp without fractions of a second."""
    return timestamp.partition(".")[0] + "Z" if timestamp else UNKNOWN_TIME
