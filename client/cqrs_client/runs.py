"""Executions state by state, and the overview of a stack."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StateVisit:
    """A state that was entered. ``exited_at`` is None while it is running, and if it failed."""

    name: str
    entered_at: str
    exited_at: str | None


@dataclass(frozen=True)
class Run:
    """An execution. ``states``: in the order in which they were entered; None if no history is kept."""

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
    """Commands without an outcome. ``is_complete`` is false if there are too many to count."""

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
    """All alarms of the stack; raised ones first."""

    items: tuple[Alarm, ...]


@dataclass(frozen=True)
class Catalogue:
    """Names that the routes accept."""

    entity_types: tuple[str, ...]
    import_tables: tuple[str, ...]
    task_types: tuple[str, ...]
    workflows: tuple[str, ...]
