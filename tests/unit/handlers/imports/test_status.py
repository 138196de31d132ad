"""Every pair of statuses: which may follow which, for jobs and rows."""

from __future__ import annotations

import itertools

import pytest

from handlers.core.errors import ValidationError
from handlers.imports.jobs import status
from handlers.imports.jobs.model import Counts
from handlers.imports.keys import ImportJobKey, ImportRowKey

ALLOWED = {
    status.JOB: {
        "CREATED": {"QUEUED", "PROCESSING", "FAILED", "CANCELLED"},
        "QUEUED": {"PROCESSING", "FAILED", "CANCELLED"},
        "PROCESSING": {"PROCESSING", "COMPLETED", "FAILED", "CANCELLED"},
    },
    status.ROW: {
        "CREATED": {"PROCESSING", "COMPLETED", "FAILED", "CANCELLED"},
        "PROCESSING": {"PROCESSING", "COMPLETED", "FAILED"},
    },
}
ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"


@pytest.mark.parametrize("kind", [status.JOB, status.ROW])
@pytest.mark.parametrize(("old", "new"), list(itertools.product(status.STATUSES, repeat=2)))
def test_transitions(kind: str, old: str, new: str) -> None:
    allowed = new in ALLOWED[kind].get(old, set())
    assert (old in status.sources(kind, new)) == allowed
    if status.sources(kind, new):
        assert status.may_become(kind, new).holds({"status": old}) == allowed
    else:
        with pytest.raises(ValueError, match=f"no {kind} becomes {new} within an attempt"):
            status.may_become(kind, new)


@pytest.mark.parametrize("name", status.STATUSES)
def test_nothing_follows_a_terminal_status(name: str) -> None:
    followed = any(name in status.sources(kind, new) for kind in ALLOWED for new in status.STATUSES)
    assert status.is_terminal({"status": name}) == (not followed)


def test_counts_are_complete_when_they_add_up() -> None:
    assert not Counts(None).is_complete
    assert Counts(0).is_complete
    assert not Counts(3, applied=2).is_complete
    assert Counts(5, applied=1, unchanged=1, failed=1, superseded=1, cancelled=1).is_complete


# -- keys -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "pk", "sk"),
    [
        (ImportRowKey("t1", f"{ULID}#0"), f"IMPORT#t1#{ULID}#0", "000000000"),
        (ImportRowKey("t1", f"{ULID}#1234"), f"IMPORT#t1#{ULID}#2", "000001234"),
        (ImportRowKey("t1", f"airports#{ULID}"), "IMPORT#t1", f"airports#{ULID}"),
    ],
)
def test_row_keys(key: ImportRowKey, pk: str, sk: str) -> None:
    assert (key.pk, key.sk) == (pk, sk)
    assert ImportRowKey.parse(pk, sk) == key
    assert ImportRowKey.of_request("t1", key.request_id(3)) == (key, 3)


def test_job_keys() -> None:
    key = ImportJobKey("CSV_IMPORT", "t1", "airports", ULID)
    assert (key.pk, key.sk) == ("CSV_IMPORT#t1", f"airports#{ULID}")
    assert ImportJobKey.parse_id(key.id) == key
    assert key.row(17).pk == key.shard(1)[0]


@pytest.mark.parametrize("request_id", ["", "r1", "a#b", "a#b#1", f"{ULID}#x#1", f"{ULID}#1#x", f"{ULID}#1", "a#b#c#1"])
def test_request_ids_of_others_name_no_row(request_id: str) -> None:
    assert ImportRowKey.of_request("t1", request_id) is None


@pytest.mark.parametrize(
    ("pk", "sk"),
    [
        ("IMPORT", "1"),
        ("TENANT#t1", "A#b"),
        (f"IMPORT#t1#{ULID}#1", "x"),
        ("IMPORT#t1#job#1", "1"),
        ("IMPORT#t1", "a#b"),
    ],
)
def test_other_keys_are_no_rows(pk: str, sk: str) -> None:
    with pytest.raises(ValidationError):
        ImportRowKey.parse(pk, sk)


@pytest.mark.parametrize("text", ["", "CSV_IMPORT#t1#airports", f"TASK#t1#airports#{ULID}", "CSV_IMPORT#t1#airports#x"])
def test_other_ids_are_no_jobs(text: str) -> None:
    with pytest.raises(ValidationError):
        ImportJobKey.parse_id(text)
