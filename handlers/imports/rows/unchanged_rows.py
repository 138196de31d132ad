"""Rows whose content equals the latest version: they get the outcome of that version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.commands import status as command_status
from handlers.core.errors import CqrsError, Nature

if TYPE_CHECKING:
    from handlers.imports.jobs.repository import ImportRepository
    from handlers.store.port import Item

LATEST_FAILED = "LatestFailed"
LATEST_SKIPPED = "LatestSkipped"


class LatestOpen(CqrsError):
    """The latest version has the row's content, and its outcome isn't known yet."""

    nature = Nature.TRANSIENT


def end_unchanged(repository: ImportRepository, row: Item, latest: Item | None, request_id: str | None) -> None:
    """``latest``: the latest command, None if only the data row is left; ``request_id``: of the row's own command.

    Raises:
        LatestOpen: its outcome isn't known yet.
    """
    if latest is not None and latest.get("requestId") == request_id:
        return  # it is the row's own command, published by another delivery
    if latest is None or latest["status"] in command_status.APPLIED_STATUSES:
        repository.unchanged(row)
    elif command_status.is_failed(latest):
        message = f"{latest['sk']} with the same content has failed; redrive it, or publish another version"
        repository.refuse(row, LATEST_FAILED, message)
    elif command_status.is_done(latest):
        message = f"{latest['sk']} with the same content was skipped by an operator; publish another version"
        repository.refuse(row, LATEST_SKIPPED, message)
    else:
        raise LatestOpen(f"{latest['sk']} with the same content has not ended ({latest['status']})")
