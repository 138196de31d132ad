"""The outcome of a demo run: the figures, the check against the expected ones, and the final tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cli.output import as_json, table
from handlers.commands import status
from handlers.commands.keys import VersionKey

DONE = status.status_of(status.FINISH, status.FINISHED)
WAITING = status.status_of(status.WAIT_PREV_COMMAND, status.STARTED)
SHOWN = 5


def has_ended(text: str) -> bool:
    """Whether a command with this status has ended, successfully or not."""
    return text == DONE or text.endswith(f":{status.FAILED}")


def blocked(rows: Mapping[tuple[str, str], str]) -> set[tuple[str, str]]:
    """The commands that wait behind a failed version of their entity, directly or not. ``rows``: key to status."""
    stuck: set[tuple[str, str]] = set()
    for pk, sk in sorted(rows):  # versions are zero padded, so a predecessor comes first
        previous = VersionKey.parse(pk, sk).previous()
        if rows[pk, sk] != WAITING or previous is None:
            continue
        before = (previous.pk, previous.sk)
        if before in stuck or rows.get(before, "").endswith(f":{status.FAILED}"):
            stuck.add((pk, sk))
    return stuck


@dataclass(frozen=True)
class Outcome:
    """The figures of a run.

    ``rows``: key of a command to its status; ``entities``: version in the read model to number of entities;
    ``calls``: AWS calls by service; ``alarms``: as an operator would receive them.
    """

    rows: Mapping[tuple[str, str], str]
    entities: Mapping[int, int]
    violations: list[str]
    alarms: list[dict[str, Any]]
    refused: list[str]
    commands: int
    seconds: float
    calls: Mapping[str, int]

    @property
    def failed(self) -> list[str]:
        """The ids of the failed commands."""
        return [f"{pk}#{sk}" for (pk, sk), one in self.rows.items() if one.endswith(f":{status.FAILED}")]

    def problems(self, *, failures_expected: bool) -> list[str]:
        """What isn't as expected, one line each; empty if all is well."""
        found = list(self.violations[:SHOWN])
        failed, waits = len(self.failed), len(blocked(self.rows))
        done = sum(one == DONE for one in self.rows.values())
        if len(self.rows) != self.commands:
            found.append(f"{self.commands:,} commands were published, {len(self.rows):,} are stored")
        if failed and not failures_expected:
            found.append(f"{failed:,} commands failed")
        if done + failed + waits != len(self.rows):
            found.append(
                f"{len(self.rows) - done - failed - waits:,} commands neither ended nor wait behind a failed one"
            )
        if sorted(alarm["id"] for alarm in self.alarms) != sorted(self.failed):
            found.append(f"{failed:,} commands failed, but there were {len(self.alarms):,} alarms")
        return found

    def report(self) -> str:
        """The final tables."""
        statuses = sorted(Counter(self.rows.values()).items())
        parts = [
            table(
                "Commands by final status",
                [(one, count, _meaning(one)) for one, count in statuses],
                header=("status", "commands", "meaning"),
            ),
            table(
                "Airports in the read model, by version",
                list(self.entities.items()),
                header=("version", "airports"),
            ),
            table(
                "AWS calls",
                [(name, count, count / self.commands) for name, count in [*self.calls.items(), self._total()]],
                header=("service", "calls", "per command"),
            ),
            table(
                "Run",
                [
                    ("order violations", f"{len(self.violations):,}"),
                    ("alarms", f"{len(self.alarms):,}"),
                    ("rows refused", f"{len(self.refused):,}"),
                    ("wall time", f"{self.seconds:.1f} s (publishing and applying)"),
                    ("commands per second", f"{self.commands / self.seconds:.1f}"),
                ],
            ),
        ]
        if self.alarms:
            reasons = Counter(alarm["content"]["errorMessage"] for alarm in self.alarms)
            parts.append(table("Failures reported by the alarms", sorted(reasons.items()), header=("reason", "alarms")))
        if self.refused:
            rows = [(text,) for text in self.refused[:SHOWN]]
            if len(self.refused) > SHOWN:
                rows.append((f"and {len(self.refused) - SHOWN} more",))
            parts.append(table("Rows rejected before publishing", rows))
        if self.alarms:
            parts.append(f"The first alarm, as subscribers of the alarm topic get it\n{as_json(self.alarms[0])}")
        return "\n\n".join(parts)

    def _total(self) -> tuple[str, int]:
        return "all", sum(self.calls.values())


def _meaning(text: str) -> str:
    if text == DONE:
        return "applied to every target"
    if text == WAITING:
        return "waits behind a failed version of its airport"
    state, _, phase = text.partition(":")
    return f"failed in the state {state}; an alarm was sent" if phase == status.FAILED else "has not ended"
