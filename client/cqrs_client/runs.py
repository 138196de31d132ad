"""How executions went, and what is on its way."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StateVisit:
    """A state that was entered. ``exited_at`` is None while it goes on, and if it failed."""

    name: str
    entered_at: str
    exited_at: str | None


@dataclass(frozen=True)
class Run:
    """An execution. ``states`` in the order in which they were entered; None where nothing is remembered."""

    machine: str
    status: str | None
    started_at: str | None
    stopped_at: str | None
    states: tuple[StateVisit, ...] | None


@dataclass(frozen=True)
class StatusCount:
    """How many open commands have a status."""

    status: str
    count: int


@dataclass(frozen=True)
class OldestOpen:
    """An open command. ``since``: when it was published."""

    kind: str
    type: str
    code: str
    version: int
    status: str
    since: str


@dataclass(frozen=True)
class Overview:
    """Commands without outcome. ``is_complete`` is false where there are too many to count."""

    open: int
    by_status: tuple[StatusCount, ...]
    oldest: OldestOpen | None
    is_complete: bool


@dataclass(frozen=True)
class Alarm:
    """An alarm of the stack: ``ALARM``, ``OK`` or ``INSUFFICIENT_DATA``. ``since``: None if it was never evaluated."""

    name: str
    state: str
    reason: str
    since: str | None


@dataclass(frozen=True)
class Alarms:
    """All alarms of the stack; those that are raised first."""

    items: tuple[Alarm, ...]


@dataclass(frozen=True)
class Catalogue:
    """Names that routes take."""

    entity_types: tuple[str, ...]
    import_tables: tuple[str, ...]
    task_types: tuple[str, ...]
    workflows: tuple[str, ...]
