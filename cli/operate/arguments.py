"""Arguments that several commands share."""

from __future__ import annotations

import argparse
import re
from datetime import datetime

from cli.errors import CommandError
from handlers.core.errors import shown

_AGO = re.compile(r"([1-9][0-9]{0,5})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
#: The last second of the year 9999, and the maximum of numbers of rows.
LATEST, MOST = 253_402_300_799.0, 1_000_000_000
KEY_HELP = "'TENANT#t1 ORDER#o1' or 'TENANT#t1#ORDER#o1', each with or without @<version>"


def add_stack(parser: argparse.ArgumentParser) -> None:
    """Options that select the stack, and the output format."""
    parser.add_argument("--stack", default="dev", help="the Pulumi stack (default dev)")
    parser.add_argument("--project", help="the Pulumi project (default: Pulumi.yaml's)")
    parser.add_argument("--endpoint", metavar="URL", help="a local stack: http://127.0.0.1:4566 with `./cqrs serve`")
    parser.add_argument(
        "--api",
        metavar="URL",
        help="use the stack's HTTP API (output apiUrl), which needs a role there and no permissions on tables",
    )
    parser.add_argument("--region", help="the AWS region (default: as for the AWS CLI)")
    parser.add_argument("--profile", help="the AWS profile (default: as for the AWS CLI)")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """The option ``--dry-run`` of commands that change something."""
    parser.add_argument("--dry-run", action="store_true", help="print what would be done and change nothing")


def since(text: str, now: float) -> float:
    """A time, or a duration before ``now``, in seconds since 1970. Raises CommandError naming the allowed forms."""
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return max(0.0, now - int(ago.group(1)) * _SECONDS[ago.group(2)])
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise CommandError(
            f"--since {text!r} is neither a time with its zone (2026-01-31T09:00:00Z) nor 90m, 2h or 3d ago"
        )
    # Stored times have four digits for the year, and nothing was published before 1970.
    return min(max(0.0, moment.timestamp()), LATEST)


def positive(text: str) -> int:
    """A whole number from 1 to ``MOST``."""
    if not text.isascii() or not text.isdigit() or len(text) > len(str(MOST)) or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number from 1 to {MOST:,}")
    return int(text)


def rate(text: str) -> float:
    """A number of rows per second."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.01 <= number <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rows per second from 0.01 to 10,000")
    return number
