"""``explain``: what happened to an entity's versions, which ones wait for others, and what to do. Read-only."""

from __future__ import annotations

from typing import Any

from contract.rows import RESTART
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import completed
from handlers.commands.repository import CommandRepository
from handlers.core.clock import Clock, iso
from handlers.core.errors import NotFound
from handlers.core.expiry import is_expired
from handlers.core.keys import check_version_number
from handlers.core.light_dataclasses import dataclass, field
from handlers.core.values.arguments import instance
from handlers.operations import situation as where
from handlers.operations.advice import Advisor
from handlers.operations.key_text import pasteable
from handlers.operations.situation import Blocker, Chain
from handlers.store.port import COMMANDS, Item, TableStore

#: Versions that are read and shown; more are read only while the oldest of them is not DONE.
SHOWN = 50
#: Never more than this, whatever waits.
MOST = 5_000


@dataclass(frozen=True)
class Lease:
    """The run that holds, or last held, the claim on a command."""

    run_id: str
    until: str
    live: bool


@dataclass(frozen=True)
class VersionView:
    """One version for operators. Times are text; absent values are None.

    ``failed_at``: when the alarm was sent.
    """

    version: int
    status: str
    situation: str
    attempt: int
    restarts: int
    published_at: str
    published_by: str
    error: dict[str, Any] | None
    failed_at: str | None
    waiting_since: str | None
    blocked_by: Blocker | None
    lease: Lease | None
    targets: dict[str, str]
    expires_at: str | None
    what_to_do: str


@dataclass(frozen=True)
class Explanation:
    """``data``: a summary of the read model's row, None if nothing is applied yet or the row has expired."""

    key: str
    data: dict[str, Any] | None
    versions: list[VersionView]
    older_versions: bool
    what_to_do: list[str] = field(default_factory=list)


class Explainer:
    """Reads one entity: the newest versions, the data row."""

    def __init__(self, store: TableStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._repository = CommandRepository(store, clock.now)

    def __call__(self, key: EntityKey, version: int | None = None) -> Explanation:
        """Explain an entity's newest versions, or one version.

        Raises:
            NotFound: nothing is stored under the key.
        """
        key = instance("key", key, EntityKey)
        if version is not None:
            check_version_number("version", version)
        data = self._repository.data(key)
        rows, older = self._newest(key)
        if version is not None and version not in rows:
            named = self._repository.command(VersionKey(key, version))
            if named is not None:
                rows[version] = named
        if data is None and not rows:
            raise NotFound(f"{pasteable(key)}: unknown key, neither a command nor a data row is stored under it")
        applied = int(data["version"]) if data is not None else 0
        chain = Chain(rows, applied, self._clock.now())
        advisor = Advisor(key, rows, chain, applied)
        chosen = [row for number, row in rows.items() if version in (None, number)]
        if version is not None and not chosen:
            return Explanation(str(VersionKey(key, version)), _data_view(data), [], older, [advisor.of_absent(version)])
        views = [self._view(row, applied, chain, advisor) for row in chosen]
        wanted = str(key) if version is None else str(VersionKey(key, version))
        return Explanation(wanted, _data_view(data), views, older, advisor.summary([view.version for view in views]))

    def _newest(self, key: EntityKey) -> tuple[dict[int, Item], bool]:
        """The newest versions in numeric order, back to the last that isn't DONE; and whether there are older ones."""
        found: list[Item] = []
        start: Item | None = None
        while True:
            page = self._store.query(
                COMMANDS, key.pk, sk_prefix=key.version_prefix, descending=True, limit=SHOWN, start=start
            )
            found += map(completed, page.items)
            start = page.next_key
            settled = bool(found) and self._is_settled(found[-1])
            if start is None or settled or len(found) >= MOST:
                break
        now = self._clock.now()
        kept = [row for row in reversed(found) if not is_expired(row, now)]
        return {int(row["version"]): row for row in kept}, start is not None

    def _is_settled(self, row: Item) -> bool:
        return where.situation(row, self._clock.now()) in (where.DONE, where.SKIPPED)

    def _view(self, row: Item, applied: int, chain: Chain, advisor: Advisor) -> VersionView:
        now, version = self._clock.now(), int(row["version"])
        stands = where.situation(row, now)
        is_done = stands in (where.DONE, where.SKIPPED)
        lease = None
        if "runId" in row and not is_done:
            lease = Lease(row["runId"], iso(row["leaseUntil"]), where.has_live_lease(row, now))
        return VersionView(
            version=version,
            status=row["status"],
            situation=stands,
            attempt=int(row["attempt"]),
            restarts=int(row.get(RESTART, 0)),
            published_at=row["updatedAt"],
            published_by=row["updatedBy"],
            error=row.get("error"),
            failed_at=iso(row["alarmedAt"]) if stands == where.FAILED and "alarmedAt" in row else None,
            waiting_since=iso(row["waitingSince"]) if "waitingSince" in row and not is_done else None,
            blocked_by=None if is_done else chain.blocker_of(version),
            lease=lease,
            targets=where.target_outcomes(row, applied),
            expires_at=iso(row["ttl"]) if "ttl" in row else None,
            what_to_do=advisor.of(version),
        )


def _data_view(data: Item | None) -> dict[str, Any] | None:
    if data is None:
        return None
    return {
        "version": int(data["version"]),
        "updatedAt": data.get("updatedAt"),
        "isDeleted": data.get("isDeleted", False),
        "command": data.get("csk"),
    }
