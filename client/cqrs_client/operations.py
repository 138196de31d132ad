"""For operators: list and explain failures, redrive and skip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cqrs_client.models import Failure
from cqrs_client.paging import PAGE, items
from cqrs_client.reading import read
from cqrs_client.runs import Alarm, Alarms, Catalogue, Overview, Run
from cqrs_client.transport import Transport


@dataclass(frozen=True)
class FailedCommand:
    """A failed version."""

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


@dataclass(frozen=True)
class RedriveOutcome:
    """The outcome of redriving one failed version."""

    kind: str
    type: str
    code: str
    version: int
    outcome: str
    attempt: int
    note: str


@dataclass(frozen=True)
class Redriven:
    """``counts`` by outcome. ``cursor``: set if there are more failed versions."""

    dry_run: bool
    outcomes: tuple[RedriveOutcome, ...]
    counts: dict[str, int]
    cursor: str | None = None


@dataclass(frozen=True)
class Skipped:
    """``applied_targets`` had already applied the command and keep it; ``woken``: a successor continues now."""

    attempt: int
    applied_targets: dict[str, str]
    woken: bool
    dry_run: bool
    expired_successor: int | None = None


class Operations:
    """``client.operations``; callers need the role ``operator`` unless stated otherwise."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def failed(
        self,
        *,
        since: str | None = None,
        status: str | None = None,
        type: str | None = None,
        kind: str | None = None,
        page: int = PAGE,
    ) -> Iterator[FailedCommand]:
        """Failed commands, ordered by type and code. ``since``: such as ``2026-01-31T09:00:00Z``."""
        query = {"since": since, "status": status, "type": type, "kind": kind}
        return items(self._transport, FailedCommand, "failed", query=query, page=page)

    def overview(self) -> Overview:
        """The commands in progress. The role ``reader`` is enough."""
        return read(Overview, self._transport.call("GET", "overview"))

    def alarms(self) -> tuple[Alarm, ...]:
        """The stack's alarms; raised ones first."""
        return read(Alarms, self._transport.call("GET", "alarms")).items

    def catalogue(self) -> Catalogue:
        """Names of entity types, import tables, task types and workflows. The role ``reader`` is enough."""
        return read(Catalogue, self._transport.call("GET", "catalogue"))

    def run(self, type: str, code: str, version: int, *, kind: str | None = None) -> Run:
        """Show the execution that applies a version, state by state."""
        path = ("entities", type, code, "versions", str(version), "run")
        return read(Run, self._transport.call("GET", *path, query={"kind": kind}))

    def explain(self, type: str, code: str, *, version: int | None = None, kind: str | None = None) -> dict[str, Any]:
        """What happened to an entity's newest versions, and what to do: the API's document as it is."""
        query = {"version": version, "kind": kind}
        answer: dict[str, Any] = self._transport.call("GET", "entities", type, code, "explain", query=query)
        return answer

    def redrive(
        self, type: str, code: str, version: int, *, dry_run: bool = False, kind: str | None = None
    ) -> Redriven:
        """Give a failed version another attempt."""
        path = ("entities", type, code, "versions", str(version), "redrive")
        return read(Redriven, self._transport.call("POST", *path, query={"dryRun": dry_run or None, "kind": kind}))

    def redrive_all(
        self,
        *,
        since: str | None = None,
        status: str | None = None,
        type: str | None = None,
        kind: str | None = None,
        dry_run: bool = False,
        page: int = PAGE,
    ) -> Iterator[Redriven]:
        """Give all matching failed versions another attempt; yields one result per ``page`` of them."""
        cursor: str | None = None
        while True:
            body = {
                "since": since,
                "status": status,
                "type": type,
                "kind": kind,
                "limit": page,
                "cursor": cursor,
                "dryRun": dry_run,
            }
            given = {key: value for key, value in body.items() if value is not None}
            answer = read(Redriven, self._transport.call("POST", "failed", "redrive", body=given))
            yield answer
            cursor = answer.cursor
            if cursor is None:
                return

    def skip(self, type: str, code: str, version: int, *, dry_run: bool = False, kind: str | None = None) -> Skipped:
        """Skip a failed version."""
        path = ("entities", type, code, "versions", str(version), "skip")
        return read(Skipped, self._transport.call("POST", *path, query={"dryRun": dry_run or None, "kind": kind}))
