"""Names of the stacks of pull requests that nobody updated for so many hours, from ``pulumi stack ls --json``."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

OURS = re.compile(r"(?:.*/)?pr-[0-9]+")


def expired(stacks: Iterable[Mapping[str, Any]], hours: int, now: datetime) -> list[str]:
    """Only stacks named ``pr-<number>``. One that is being updated stays; one that was never updated goes."""
    found = []
    for one in stacks:
        last = one.get("lastUpdate")
        old = last is None or datetime.fromisoformat(last.replace("Z", "+00:00")) <= now - timedelta(hours=hours)
        if OURS.fullmatch(one["name"]) and old and not one.get("updateInProgress"):
            found.append(one["name"])
    return found


if __name__ == "__main__":
    names = expired(json.load(sys.stdin), int(sys.argv[1]), datetime.now(UTC))
    sys.stdout.write("".join(f"{name}\n" for name in names))
