"""Requests and responses of the API. Names are the API's in snake_case; fields that it adds later are ignored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OPEN, APPLIED, FAILED, SKIPPED = "OPEN", "APPLIED", "FAILED", "SKIPPED"
COMPLETED, CANCELLED = "COMPLETED", "CANCELLED"


@dataclass(frozen=True)
class FieldError:
    """One invalid field of a request."""

    field: str
    value: str | None
    allowed: str


@dataclass(frozen=True)
class Failure:
    """Why something failed. ``state``: for a command, the state of its pipeline."""

    type: str
    message: str
    state: str | None = None


@dataclass(frozen=True)
class CommandInput:
    """A command to publish: the full new state of one entity.

    ``version``: 0 if you expect that nothing is stored yet, -1 to build on the latest version, n on version n.
    """

    type: str
    code: str
    name: str
    attributes: Mapping[str, Any]
    version: int = 0
    is_deleted: bool = False
    seq: int | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Entity:
    """One version of an entity. Attributes that are too large for a response are at ``attributes_url``."""

    kind: str
    type: str
    code: str
    version: int
    name: str
    tenant_code: str
    attributes: dict[str, Any] | None
    is_deleted: bool
    id: str
    source: str
    created_at: str
    created_by: str
    updated_at: str
    updated_by: str
    created_ip: str = ""
    updated_ip: str = ""
    seq: int | None = None
    request_id: str | None = None
    attributes_url: str | None = None


@dataclass(frozen=True)
class Version:
    """A version and its outcome: ``outcome`` is OPEN, APPLIED, FAILED or SKIPPED."""

    command: Entity
    outcome: str
    status: str
    attempt: int
    targets: dict[str, Any]
    error: Failure | None = None


@dataclass(frozen=True)
class EntityState:
    """The applied state of an entity, and the versions that are in progress, waiting or failed."""

    entity: Entity
    pending: tuple[Version, ...]


@dataclass(frozen=True)
class Published:
    """An accepted command. ``changed`` is false if the entity already had this state: nothing was written.

    ``outcome`` is OPEN until it is known.
    """

    changed: bool
    command: Entity
    outcome: str
    status: str
    targets: dict[str, Any]
    error: Failure | None = None


@dataclass(frozen=True)
class BatchResult:
    """One command's result in a batch: ``published``, or ``problem`` (like an error's ``problem``)."""

    status: int
    published: Published | None = None
    problem: dict[str, Any] | None = None


@dataclass(frozen=True)
class Task:
    """A task; its counters count its items."""

    id: str
    type: str
    status: str
    attempt: int
    has_items: bool
    input: Any
    result: Any
    error: Failure | None
    total: int
    succeeded: int
    failed: int
    cancelled: int
    is_stopping: bool
    created_at: str
    created_by: str
    updated_at: str
    max_concurrency: int | None = None
    on_item_error: str | None = None


@dataclass(frozen=True)
class TaskItem:
    """One item of a task; ``index`` counts from 0."""

    index: int
    status: str
    attempt: int
    input: Any
    result: Any
    error: Failure | None


@dataclass(frozen=True)
class Counts:
    """Rows by outcome. ``total`` is None until the file has been read."""

    total: int | None
    processed: int
    succeeded: int
    applied: int
    unchanged: int
    failed: int
    superseded: int
    cancelled: int


@dataclass(frozen=True)
class Reason:
    """How many rows failed with one error code, and the first of them."""

    code: str
    rows: int
    row: int
    line: int
    message: str


@dataclass(frozen=True)
class Import:
    """The import of a file, or of an archive. ``report``: the locations of its parts, ``s3://bucket/key``."""

    id: str
    table: str
    status: str
    attempt: int
    counts: Counts
    key: str
    bucket: str
    error: Failure | None
    reasons: tuple[Reason, ...]
    has_report: bool
    created_at: str
    created_by: str
    updated_at: str
    mode: str | None = None
    is_cancelling: bool = False
    files: int | None = None
    failed_files: int | None = None
    parent: str | None = None
    file: str | None = None
    report: tuple[str, ...] = ()
    encoding: str | None = None
    ignored_rows: int | None = None
    started_at: str = ""

    @property
    def has_ended(self) -> bool:
        """COMPLETED, FAILED or CANCELLED."""
        return self.status in (COMPLETED, FAILED, CANCELLED)


@dataclass(frozen=True)
class ImportFile:
    """A file of an archive. ``id``: its own job, None if it was not imported."""

    name: str
    table: str | None
    status: str
    counts: Counts
    id: str | None = None
    error: Failure | None = None
    report: tuple[str, ...] = ()
    encoding: str | None = None


@dataclass(frozen=True)
class ImportRow:
    """One row of a file and its outcome. ``line``: its line in the file."""

    number: int
    line: int
    status: str
    row: dict[str, Any]
    result: str | None = None
    error: Failure | None = None
    superseded_by: int | None = None


@dataclass(frozen=True)
class Upload:
    """Send a file to ``url`` with ``method``; it is then stored under ``key``. ``expires_in``: seconds."""

    key: str
    method: str
    url: str
    expires_in: int


@dataclass(frozen=True)
class Approval:
    """A decision that a workflow is waiting for."""

    workflow: str
    request_id: str
    status: str
    subject: str
    requested_by: str
    requested_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str | None = None
    delivered: bool = False


@dataclass(frozen=True)
class Started:
    """The execution that was started under an id."""

    workflow: str
    id: str
    execution_arn: str


@dataclass(frozen=True)
class ListedExecution(Started):
    """An execution in a list, without its data."""

    status: str
    started_at: str
    stopped_at: str | None


@dataclass(frozen=True)
class Execution(ListedExecution):
    """An execution of a workflow."""

    input: Any
    output: Any
    error: str | None = None
    cause: str | None = None
