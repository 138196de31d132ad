"""Advice for operators about a command, in plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from handlers.commands.keys import EntityKey, VersionKey
from handlers.core.clock import iso
from handlers.core.errors import VersionGap, VersionMismatch
from handlers.operations import situation as where
from handlers.operations.key_text import pasteable

if TYPE_CHECKING:
    from handlers.operations.situation import Chain

NOTHING = "nothing"


class Advisor:
    """Advice for the versions of one entity."""

    def __init__(self, key: EntityKey, rows: Mapping[int, Mapping[str, Any]], chain: Chain, data_version: int) -> None:
        self._key = key
        self._rows = rows
        self._chain = chain
        self._data_version = data_version

    def of(self, version: int) -> str:
        """Advice about a version in the log."""
        row = self._rows[version]
        blocker = self._chain.blocker_of(version)
        match self._chain.situation_of(version):
            case where.DONE | where.SKIPPED:
                return NOTHING
            case where.RUNNING:
                return f"wait: a run holds it until {iso(row['leaseUntil'])}; after that the sweeper takes over"
            case where.FAILED:
                return self._of_failed(version, row)
            case _ if blocker is not None:
                return self._of_blocked(version)
            case _:
                return f"wait: it is due; the sweeper checks it after {iso(row['dueAt'])}" if "dueAt" in row else "wait"

    def of_absent(self, version: int) -> str:
        """Advice about a version that isn't in the log, or no longer."""
        if version <= self._data_version:
            return f"nothing: it was applied or replaced, the data row is at version {self._data_version}"
        highest = max(self._rows, default=self._data_version)
        if version > highest:
            return f"nothing: version {version} was never published; the latest is {highest}"
        key = pasteable(VersionKey(self._key, version))
        return f"restore {key} in the commands table (point-in-time recovery): it is missing"

    def summary(self, versions: list[int]) -> list[str]:
        """One line per version that has to proceed first, omitting those that only wait for it."""
        roots: dict[int, str] = {}
        for version in versions:
            if self._chain.situation_of(version) in (where.DONE, where.SKIPPED):
                continue
            blocker = self._chain.blocker_of(version)
            root = version if blocker is None else blocker.root
            roots[root] = self.of(root) if root in self._rows else self.of_absent(root)
        lines = [f"@{root}: {advice}" for root, advice in sorted(roots.items())]
        return lines or ["nothing: every version is done"]

    def _of_failed(self, version: int, row: Mapping[str, Any]) -> str:
        key = pasteable(VersionKey(self._key, version))
        error = row.get("error", {}).get("type")
        if where.has_expired(row):
            root = self._chain.root_of_expiry(version)
            if root != version and self._chain.situation_of(root) == where.FAILED:
                return f"redrive {pasteable(VersionKey(self._key, root))}: that redrives this one, too"
            blocked = self._chain.blocker_of(version)
            return f"redrive {key}" if blocked is None else f"redrive {key} once @{blocked.root} is done"
        if error == VersionMismatch.__name__:
            return f"skip {key}: the data row is at version {self._data_version} already, a redrive would fail again"
        if error == VersionGap.__name__ and self._chain.blocker_of(version) is not None:
            return f"restore @{version - 1} (point-in-time recovery), then redrive {key}"
        return f"redrive {key} when the cause is repaired, or skip {key} to continue without it"

    def _of_blocked(self, version: int) -> str:
        blocker = self._chain.blocker_of(version)
        if blocker is None:
            return NOTHING
        if blocker.root_situation in (where.FAILED, where.MISSING):
            return f"nothing here: it continues once @{blocker.root} ({blocker.root_situation}) is done"
        return f"wait: it continues automatically once @{blocker.root} ({blocker.root_situation}) is done"
