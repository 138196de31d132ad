"""``Operations`` by the HTTP API."""

from __future__ import annotations

from cli.doors.by_api import Api
from cli.errors import CommandError
from cli.output import Progress
from cqrs_client.operations import Operations, RedriveOutcome
from cqrs_client.reading import read
from handlers.commands.keys import EntityKey, VersionKey
from handlers.core.clock import iso
from handlers.operations import situation
from handlers.operations.explain import Explanation
from handlers.operations.failed import Selection
from handlers.operations.key_text import pasteable
from handlers.operations.redrive import Redriven
from handlers.operations.skip import Skipped

#: Failed commands per request: the API's maximum.
PAGE = 100


class ApiOperations:
    """See ``cli.doors.port.Operations``."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def explain(self, key: EntityKey, version: int | None) -> Explanation:
        """See ``Operations``."""
        return read(Explanation, self._of(key.tenant_code).explain(key.type, key.code, version=version, kind=key.kind))

    def redrive(self, key: EntityKey, version: int | None, *, dry_run: bool) -> list[Redriven]:
        """See ``Operations``. An entity's failed versions are redriven from the last to the first, so that when the
        cause is redriven all its successors are open again, even if this process is interrupted.
        """
        versions = [version] if version is not None else self._failed(key)
        found: dict[int, Redriven] = {}
        for number in sorted(versions, reverse=True):
            answer = self._of(key.tenant_code).redrive(key.type, key.code, number, dry_run=dry_run, kind=key.kind)
            for one in answer.outcomes:
                found.setdefault(one.version, _redriven(one, key.tenant_code))
        return [found[number] for number in sorted(found)]

    def redrive_all(self, selection: Selection, limit: int, *, dry_run: bool) -> tuple[list[Redriven], bool]:
        """See ``Operations``."""
        tenant = selection.tenant_code
        if tenant is None:
            raise CommandError("--api needs --tenant, since each API call is for one tenant")
        answers = self._of(tenant).redrive_all(
            since=None if selection.since is None else iso(selection.since),
            status=selection.status,
            type=selection.type,
            dry_run=dry_run,
            page=min(limit, PAGE),
        )
        outcomes: list[Redriven] = []
        more = False
        progress = Progress("redrive", None)
        for answer in answers:
            outcomes += [_redriven(one, tenant) for one in answer.outcomes]
            progress.show(len(outcomes))
            more = answer.cursor is not None
            if len(outcomes) >= limit:
                break
        progress.end()
        return outcomes, more

    def skip(self, key: VersionKey, *, dry_run: bool) -> Skipped:
        """See ``Operations``."""
        entity = key.entity
        done = self._of(entity.tenant_code).skip(
            entity.type, entity.code, key.version, dry_run=dry_run, kind=entity.kind
        )
        expired = None if done.expired_successor is None else VersionKey(entity, done.expired_successor)
        return Skipped(key, done.attempt, done.applied_targets, done.woken, done.dry_run, expired)

    def _of(self, tenant: str) -> Operations:
        return self._api.of(tenant).operations

    def _failed(self, key: EntityKey) -> list[int]:
        """The failed versions; if there are none, the latest, so that its status is returned."""
        versions = self.explain(key, None).versions
        if not versions:
            raise CommandError(f"{pasteable(key)}: unknown key: the log has no version of it")
        failed = [one.version for one in versions if one.situation == situation.FAILED]
        return failed or [versions[-1].version]


def _redriven(one: RedriveOutcome, tenant: str) -> Redriven:
    key = VersionKey(EntityKey(one.kind, tenant, one.type, one.code), one.version)
    return Redriven(key, one.outcome, one.attempt, one.note)
