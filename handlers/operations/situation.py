"""The situation of a command in operators' terms, and what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract.targets import BUILT_IN
from handlers.commands import status
from handlers.commands.keys import VersionKey
from handlers.commands.pipeline.apply import APPLIED
from handlers.core.errors import WaitExpired
from handlers.core.keys import FIRST_VERSION
from handlers.core.light_dataclasses import dataclass

DONE = "DONE"
SKIPPED = "SKIPPED"
FAILED = "FAILED"
RUNNING = "RUNNING"
WAITING = "WAITING"
#: Accepted, or its run ended without a trace: the stream or the sweeper starts it.
OPEN = "OPEN"

MISSING = "MISSING"


def situation(row: Mapping[str, Any], now: float) -> str:
    """One of the constants above. ``statusDetail: terminal`` writes few statuses, so a live claim takes precedence."""
    if row["status"] == status.SKIPPED:
        return SKIPPED
    if status.is_done(dict(row)):
        return DONE
    if status.is_failed(dict(row)):
        return FAILED
    if has_live_lease(row, now):
        return RUNNING
    waits = row["status"] == status.status_of(status.WAIT_PREV_COMMAND, status.STARTED)
    return WAITING if waits or "parkedAt" in row else OPEN


def has_live_lease(row: Mapping[str, Any], now: float) -> bool:
    """Whether a run holds the command."""
    return "runId" in row and row.get("leaseUntil", 0) > now


def has_expired(row: Mapping[str, Any]) -> bool:
    """Whether it is FAILED because its predecessor was not done in time."""
    return status.is_failed(dict(row)) and row.get("error", {}).get("type") == WaitExpired.__name__


def applied_targets(row: Mapping[str, Any], data_version: int) -> dict[str, str]:
    """Target to outcome. With ``statusDetail: terminal`` only the data row shows the built-in one until DONE."""
    outcomes = {target: entry["outcome"] for target, entry in sorted(row["targets"].items())}
    built_in = {BUILT_IN: APPLIED} if data_version == row["version"] else {}
    return {**built_in, **outcomes}


def target_outcomes(row: Mapping[str, Any], data_version: int) -> dict[str, str]:
    """The same, plus the target whose error made the command FAILED."""
    target = row.get("error", {}).get("target") if status.is_failed(dict(row)) else None
    applied = applied_targets(row, data_version)
    return applied if target is None else {**applied, target: FAILED}


@dataclass(frozen=True)
class Blocker:
    """What a version waits for: ``next`` is its predecessor, ``root`` the version that has to proceed first."""

    next: int
    root: int
    root_situation: str


class Chain:
    """The versions of one entity in the log, and the version of its data row (0: there is none)."""

    def __init__(self, rows: Mapping[int, Mapping[str, Any]], data_version: int, now: float) -> None:
        self._rows = rows
        self._data_version = data_version
        self._now = now

    def situation_of(self, version: int) -> str:
        """The situation of a version; one that is neither in the log nor applied is MISSING."""
        row = self._rows.get(version)
        if row is not None:
            return situation(row, self._now)
        return DONE if version < FIRST_VERSION or version <= self._data_version else MISSING

    def blocker_of(self, version: int) -> Blocker | None:
        """Follow the preceding versions to the first that isn't itself waiting. None: nothing blocks it."""
        if self.situation_of(version - 1) in (DONE, SKIPPED):
            return None
        root = version - 1
        while self._only_waits(root) and self.situation_of(root - 1) not in (DONE, SKIPPED):
            root -= 1
        return Blocker(version - 1, root, self.situation_of(root))

    def root_of_expiry(self, version: int) -> int:
        """The version that an expired one ultimately waited for, found by following ``blockedBy``."""
        root = version
        while (row := self._rows.get(root)) is not None and has_expired(row):
            blocked_by = row["error"].get("blockedBy")
            further = VersionKey.parse(row["pk"], blocked_by).version if blocked_by else root - 1
            if further >= root:
                break
            root = further
        return root

    def _only_waits(self, version: int) -> bool:
        row = self._rows.get(version)
        return row is not None and (situation(row, self._now) in (WAITING, OPEN) or has_expired(row))
