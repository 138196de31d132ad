"""The demo's imports: what they are, and that what is wrong with one is told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.demo.imports import CHANGED, Imported, ImportsOutcome, files
from handlers.imports.encodings.catalogue import UTF_8
from handlers.imports.jobs.model import Counts, ImportJob

JOB = ImportJob(
    id="CSV_IMPORT#demo#airports#01KDVDNA00ZZZZZZZZZZZZZZZZ",
    table="airports",
    status="COMPLETED",
    attempt=1,
    mode="DIRECT",
    bucket="b",
    object_key="k",
    counts=Counts(10, applied=2, unchanged=8),
    created_at="",
    created_by="",
    updated_at="",
)
GOOD = Imported("a changed copy", JOB, rows=10, applied=2, seconds=1.0)


def test_the_copy_differs_in_the_name_of_every_fifth_row() -> None:
    content, copy, rows, changed = files(23)
    assert (rows, changed) == (23, -(-23 // CHANGED))
    before, after = (one.decode(UTF_8).splitlines() for one in (content, copy))
    assert len(before) == len(after) == 24
    assert before[0] == after[0]
    assert [n for n, (old, new) in enumerate(zip(before, after, strict=True)) if old != new] == [1, 6, 11, 16, 21]
    assert after[1] == before[1].replace('"Aero', '"New Aero')


def test_a_good_run_has_no_problems() -> None:
    outcome = ImportsOutcome([GOOD])
    assert outcome.problems() == []
    assert "COMPLETED" in outcome.report()


@pytest.mark.parametrize(
    ("job", "text"),
    [
        (replace(JOB, status="FAILED", error={"type": "RowsFailed", "message": "1 of 10"}), "FAILED, RowsFailed: 1 of"),
        (replace(JOB, status="PROCESSING"), "a changed copy: PROCESSING"),
        (replace(JOB, counts=Counts(10, applied=2, unchanged=7)), "9 have ended"),
        (replace(JOB, counts=Counts(9, applied=2, unchanged=7)), "of 10 rows 9 were counted"),
        (replace(JOB, counts=Counts(10, applied=3, unchanged=7)), "3 were applied, 7 equal"),
        (replace(JOB, counts=Counts(None)), "of 10 rows 0 were counted"),
    ],
)
def test_what_is_wrong_is_reported(job: ImportJob, text: str) -> None:
    (problem,) = ImportsOutcome([GOOD, replace(GOOD, job=job)]).problems()
    assert text in problem
