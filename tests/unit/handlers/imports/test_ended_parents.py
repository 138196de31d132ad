"""What belongs to an import that has ended is not begun any more, however late the call comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from contract.rows import CANCEL_REQUESTED
from handlers.core.error_text import error_of
from handlers.core.errors import TransientConflict, ValidationError, WrongStatus
from handlers.imports.jobs import status
from handlers.imports.jobs.cancel import request_cancel
from handlers.imports.jobs.repository import ImportRepository
from handlers.imports.zip.callbacks import Callbacks
from handlers.imports.zip.files import ZipFiles
from handlers.imports.zip.finalize import ZipFinalizer
from handlers.imports.zip.repository import Wait
from handlers.state_machines.memory import MemoryWorkflows
from handlers.store.port import IMPORT_TMP, Change, Item
from tests.support.zip_world import airports, archive
from tests.unit.handlers.imports.test_zip_parts import LoaderWorld

TOKEN = "token"


class Place(LoaderWorld):
    """An archive of two files that is unpacked; the machine waits with a token for the file that it triggers."""

    def __init__(self) -> None:
        super().__init__(archive(airports("a"), airports("b")))
        self.load(self.run)
        self.import_repository = ImportRepository(self.store, self.clock)
        self.workflows = MemoryWorkflows()
        self.workflows.open_tokens.add(TOKEN)
        callbacks = Callbacks(self.import_repository, self.files, self.workflows)
        self.zip_files = ZipFiles(self.import_repository, self.files, callbacks, self.clock)
        self.finalize = ZipFinalizer(self.import_repository, self.files, self.objects)

    def trigger(self, position: int = 0) -> None:
        self.zip_files.trigger(self.run, position, Wait(TOKEN, 0))

    def change(self, **fields: Any) -> None:
        self.store.update(IMPORT_TMP, self.run.key.pk, self.run.key.sk, Change(set=dict(fields)))

    def jobs(self) -> list[Item]:
        """Of files."""
        return [row for row in self.store.scan(IMPORT_TMP).items if "parent" in row]

    def between_read_and_write(self, action: Callable[[], None]) -> None:
        """Somebody acts when the call has read the archive and has not written yet."""
        transact = self.store.transact

        def act_then_transact(writes: Any) -> None:
            self.store.transact = transact  # type: ignore[method-assign]
            action()
            transact(writes)

        self.store.transact = act_then_transact  # type: ignore[method-assign]


def failed(place: Place) -> None:
    place.finalize(place.run, error_of("MachineFailed", "it died"))


def cancel_requested(place: Place) -> None:
    place.change(**{CANCEL_REQUESTED: True})


def in_another_attempt(place: Place) -> None:
    place.change(attempt=2)


def ended_as(outcome: str) -> Callable[[Place], None]:
    return lambda place: place.change(status=outcome)


ENDS = [failed, cancel_requested, *(ended_as(one) for one in (status.COMPLETED, status.FAILED, status.CANCELLED))]


def test_a_file_of_a_running_archive_is_opened() -> None:
    place = Place()
    place.trigger()
    assert [(job["status"], job["position"]) for job in place.jobs()] == [(status.CREATED, 0)]
    assert place.workflows.resumed == []


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("late", [False, True], ids=["before the call", "during the call"])
def test_edge_61_the_next_file_is_not_opened_once_its_archive_has_ended(
    end: Callable[[Place], None], late: bool
) -> None:
    """Else it is imported although the archive is told as FAILED, or as cancelled."""
    place = Place()
    if late:
        place.between_read_and_write(lambda: end(place))
    else:
        end(place)
    place.trigger(1)
    assert place.jobs() == []
    assert place.workflows.resumed == [(TOKEN, {"status": status.CANCELLED, "counts": {}})]
    file = place.files.file(place.run.key, 1)
    assert file is not None
    assert (file["status"], file["error"]["type"]) == (status.CANCELLED, "Cancelled")


def test_edge_61_a_file_is_not_opened_for_an_attempt_that_is_over() -> None:
    place = Place()
    place.between_read_and_write(lambda: in_another_attempt(place))
    with pytest.raises(ValidationError, match=r"input\.position: 1 is not allowed"):
        place.trigger(1)
    assert place.jobs() == []


def test_edge_61_a_file_that_has_its_outcome_is_not_opened() -> None:
    """It was given up between the call's read and its write; the others go on."""
    place = Place()
    given_up = error_of("Timeout", "m")
    place.between_read_and_write(lambda: place.files.end_file(place.run.key, 1, status.FAILED, given_up))
    place.trigger(1)
    assert place.jobs() == []
    assert place.workflows.resumed == [(TOKEN, {"status": status.FAILED, "counts": {}})]
    place.workflows.open_tokens.add(TOKEN)
    place.trigger(0)
    assert [job["position"] for job in place.jobs()] == [0]


@pytest.mark.parametrize("outcome", [status.COMPLETED, status.FAILED, status.CANCELLED])
def test_edge_61_a_job_that_has_ended_takes_no_token_and_answers_it(outcome: str) -> None:
    """A late try of the state that waits: nobody would ever answer the token."""
    place = Place()
    place.trigger()
    (job,) = place.jobs()
    place.store.update(IMPORT_TMP, job["pk"], job["sk"], Change(set={"status": outcome}, remove=("taskToken",)))
    place.zip_files.trigger(place.run, 0, Wait(TOKEN, 1))
    (job,) = place.jobs()
    assert "taskToken" not in job
    assert [(token, answer["status"]) for token, answer in place.workflows.resumed] == [(TOKEN, outcome)]


@pytest.mark.parametrize(("retry", "kept"), [(0, "first"), (1, "second"), (2, "second")])
def test_edge_61_the_token_of_the_latest_try_is_kept(retry: int, kept: str) -> None:
    place = Place()
    place.zip_files.trigger(place.run, 0, Wait("first", 1))
    place.zip_files.trigger(place.run, 0, Wait("second", retry))
    assert [job["taskToken"] for job in place.jobs()] == [kept]


@pytest.mark.parametrize("outcome", [status.COMPLETED, status.FAILED])
def test_edge_62_an_import_that_has_ended_is_not_cancelled(outcome: str) -> None:
    place = Place()
    place.change(status=outcome)
    before = place.import_repository.job(place.run.key)
    with pytest.raises(WrongStatus, match=f"{outcome}; only an import without outcome is cancelled"):
        request_cancel(place.import_repository, place.run.key)
    assert place.import_repository.job(place.run.key) == before


@pytest.mark.parametrize("now", [status.CREATED, status.QUEUED, status.PROCESSING])
def test_edge_62_a_cancel_of_an_attempt_leaves_the_next_one_alone(now: str) -> None:
    """The import fails and somebody retries it between the cancel's read and its write."""
    place = Place()
    update = place.store.update

    def retried_then_update(*given: Any, **named: Any) -> Item:
        place.store.update = update  # type: ignore[method-assign]
        place.change(status=now, attempt=2)
        return update(*given, **named)

    place.store.update = retried_then_update  # type: ignore[method-assign]
    with pytest.raises(TransientConflict, match="attempt 2 began at this moment; call again"):
        request_cancel(place.import_repository, place.run.key)
    job = place.import_repository.job(place.run.key)
    assert job is not None
    assert (job["status"], CANCEL_REQUESTED in job) == (now, False)
    request_cancel(place.import_repository, place.run.key)
    job = place.import_repository.job(place.run.key)
    assert job is not None
    assert job[CANCEL_REQUESTED] is True
