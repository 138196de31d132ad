"""Routes for operators: explain what happened, list failed commands, redrive and skip them."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BeforeValidator, Field

from contract.command_status import FAILED
from handlers.api.http.identity import Caller
from handlers.api.http.models import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    Cursor,
    DryRun,
    Failure,
    Given,
    KeyPart,
    Kind,
    Limit,
    Number,
    Part,
    Shown,
    failure_of,
    whole,
)
from handlers.api.http.routes import OPERATOR, Routes, answer
from handlers.api.services import Services
from handlers.commands.keys import DEFAULT_KIND, EntityKey, VersionKey
from handlers.core.clock import iso, seconds_of
from handlers.core.errors import ValidationError
from handlers.core.key_parts import check_new_part
from handlers.core.keys import partition
from handlers.core.values.stored_names import to_stored_name
from handlers.operations.failed import FoundOfTenant, Selection, failed_of_tenant
from handlers.operations.redrive import Redriven
from handlers.store.port import Item

#: Seconds after which a search returns what it has found so far, well below the gateway's timeout (30).
PATIENCE = 15.0


class Explanation(Shown):
    """What happened to an entity's newest versions, which ones wait for others, and what to do."""

    key: str
    data: dict[str, Any] | None
    versions: list[dict[str, Any]]
    older_versions: bool
    what_to_do: list[str]


class FailedCommand(Shown):
    """A failed version. ``failedAt``: when its alarm was sent."""

    kind: str
    type: str
    code: str
    version: int
    name: str
    status: str
    attempt: int
    error: Failure | None
    failed_at: str | None
    updated_at: str


class FailedPage(Shown):
    """Ordered by type and code. A page may be empty without being the last: only there ``cursor`` is null."""

    items: list[FailedCommand]
    cursor: str | None


class RedriveOutcome(Shown):
    """The outcome of redriving one version; ``attempt`` is its current one."""

    kind: str
    type: str
    code: str
    version: int
    outcome: str
    attempt: int
    note: str


class RedriveAnswer(Shown):
    """``counts`` by outcome. ``cursor``: set if there are more failed versions."""

    dry_run: bool
    outcomes: list[RedriveOutcome]
    counts: dict[str, int]
    cursor: str | None = None


class SkipAnswer(Shown):
    """``appliedTargets`` had already applied the command and keep it; ``woken``: a successor continues now."""

    attempt: int
    applied_targets: dict[str, str]
    woken: bool
    dry_run: bool
    expired_successor: int | None


class GivenSelection(Given):
    """Selects the failed commands to redrive, up to ``limit`` of them."""

    since: str | None = Field(None, description="Failed since, such as 2026-01-31T09:00:00Z")
    status: str = FAILED
    type: KeyPart | None = None
    kind: KeyPart = DEFAULT_KIND
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    cursor: str | None = None
    dry_run: bool = False


def add_routes(routes: Routes, services: Services) -> None:
    """Register them."""
    api = _Operators(services)

    @routes.add(
        "GET", "/entities/<type>/<code>/explain", OPERATOR, "Explain what happened and what to do",
        answers={200: Explanation}, may=(404,),
    )  # fmt: skip
    def explain_entity(
        type: Part,
        code: Part,
        version: Annotated[int | None, Query(ge=1), BeforeValidator(whole)] = None,
        kind: Kind = DEFAULT_KIND,
    ) -> Response[Explanation]:
        found = services.explain(EntityKey.of_caller(kind, routes.caller.tenant, type, code), version)
        return answer(200, Explanation.model_validate(plain(found)))

    @routes.add(
        "POST", "/entities/<type>/<code>/versions/<version>/redrive", OPERATOR, "Redrive a failed version",
        answers={200: RedriveAnswer}, may=(404,),
    )  # fmt: skip
    def redrive_version(
        type: Part, code: Part, version: Number, dry_run: DryRun = False, kind: Kind = DEFAULT_KIND
    ) -> Response[RedriveAnswer]:
        key = VersionKey(EntityKey.of_caller(kind, routes.caller.tenant, type, code), version)
        outcomes = services.redriver(dry_run=dry_run).version(key)
        return answer(200, _redriven(outcomes, None, dry_run=dry_run))

    @routes.add(
        "POST", "/entities/<type>/<code>/versions/<version>/skip", OPERATOR, "Skip a failed version",
        answers={200: SkipAnswer}, may=(404, 409),
    )  # fmt: skip
    def skip_version(
        type: Part, code: Part, version: Number, dry_run: DryRun = False, kind: Kind = DEFAULT_KIND
    ) -> Response[SkipAnswer]:
        key = VersionKey(EntityKey.of_caller(kind, routes.caller.tenant, type, code), version)
        done = services.skip(key, dry_run=dry_run)
        expired = None if done.expired is None else done.expired.version
        shown = SkipAnswer(
            attempt=done.attempt,
            applied_targets=done.applied,
            woken=done.woken,
            dry_run=done.dry_run,
            expired_successor=expired,
        )
        return answer(200, shown)

    @routes.add("GET", "/failed", OPERATOR, "List failed commands", answers={200: FailedPage})
    def list_failed(
        since: Annotated[str | None, Query(description="Failed since, such as 2026-01-31T09:00:00Z")] = None,
        status: Annotated[str, Query(description="FAILED, or a failure of one state: sync_data:FAILED")] = FAILED,
        type: Annotated[str | None, Query()] = None,
        kind: Kind = DEFAULT_KIND,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Response[FailedPage]:
        found = api.find(routes.caller, since, status, type, kind, limit, cursor)
        return answer(200, FailedPage(items=[_failed(row) for row in found.rows], cursor=_cursor(found.next_key)))

    @routes.add(
        "POST", "/failed/redrive", OPERATOR, "Redrive failed commands", answers={200: RedriveAnswer},
        example={"type": "ORDER", "dryRun": True},
    )  # fmt: skip
    def redrive_failed(given: Annotated[GivenSelection, Body()]) -> Response[RedriveAnswer]:
        found = api.find(routes.caller, given.since, given.status, given.type, given.kind, given.limit, given.cursor)
        keys = [VersionKey.parse(row["pk"], row["sk"]) for row in found.rows]
        outcomes = list(services.redriver(dry_run=given.dry_run).all(keys))
        return answer(200, _redriven(outcomes, _cursor(found.next_key), dry_run=given.dry_run))


class _Operators:
    """Implements the routes."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def find(
        self,
        caller: Caller,
        since: str | None,
        status: str,
        type_: str | None,
        kind: str,
        limit: int,
        cursor: str | None,
    ) -> FoundOfTenant:
        if type_ is not None:
            check_new_part("type", type_)
        pk = partition(check_new_part("kind", kind), caller.tenant)
        selection = Selection(None if since is None else _since(since), status, None, type_)
        return failed_of_tenant(
            self._services.store,
            selection,
            pk,
            limit=limit,
            start=_start(cursor, pk),
            goes_on=_patience(self._services.clock.now, PATIENCE),
        )


def plain(value: Any) -> Any:
    """Convert our objects to JSON values, with field names as stored and keys as text."""
    if isinstance(value, EntityKey | VersionKey):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {to_stored_name(one.name): plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value


def _patience(now: Callable[[], float], seconds: float) -> Callable[[], bool]:
    until = now() + seconds
    return lambda: now() < until


def _since(text: str) -> float:
    try:
        return seconds_of(text)
    except ValueError:
        raise ValidationError("since", text, "a time such as 2026-01-31T09:00:00Z") from None


def _cursor(key: Item | None) -> str | None:
    return None if key is None else base64.urlsafe_b64encode(json.dumps(key["sk"]).encode()).decode()


def _start(cursor: str | None, pk: str) -> Item | None:
    if cursor is None:
        return None
    try:
        sk = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError:
        sk = None
    if not isinstance(sk, str) or not 0 < len(sk.encode()) <= 1024:
        raise ValidationError("cursor", cursor, "the cursor of an earlier page")
    return {"pk": pk, "sk": sk}


def _failed(row: Item) -> FailedCommand:
    key = VersionKey.parse(row["pk"], row["sk"])
    return FailedCommand(
        kind=key.entity.kind,
        type=key.entity.type,
        code=key.entity.code,
        version=key.version,
        name=row["name"],
        status=row["status"],
        attempt=row["attempt"],
        error=failure_of(row.get("error")),
        failed_at=iso(row["alarmedAt"]) if "alarmedAt" in row else None,
        updated_at=row["updatedAt"],
    )


def _redriven(outcomes: Sequence[Redriven], cursor: str | None, *, dry_run: bool) -> RedriveAnswer:
    shown = [
        RedriveOutcome(
            kind=one.key.entity.kind,
            type=one.key.entity.type,
            code=one.key.entity.code,
            version=one.key.version,
            outcome=one.outcome,
            attempt=one.attempt,
            note=one.note,
        )
        for one in outcomes
    ]
    counts = dict(Counter(one.outcome for one in outcomes))
    return RedriveAnswer(dry_run=dry_run, outcomes=shown, counts=counts, cursor=cursor)
