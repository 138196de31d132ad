"""EDGE-25: progress shows total, rate and time left, and that it is alive."""

from __future__ import annotations

import io

import pytest

from cli.imports.jobs import pace_of
from cli.output import Progress
from cli.pace import Pace, duration, pace_words
from handlers.imports.jobs.model import Counts, ImportJob


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (40, "40 s"), (59.4, "59 s"), (61, "1 min"), (370, "6 min"), (12_000, "3 h 20 min")],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_only_the_last_minute_counts_for_the_speed() -> None:
    pace = Pace()
    assert pace.words(1_000) == ""
    pace.note(0, 0)
    assert pace.per_second is None
    for second in range(1, 101):
        pace.note(second, 100 * second)
    assert pace.words(11_000) == "100 a second, about 10 s left"
    for second in range(101, 161):
        pace.note(second, 10_000 + (second - 100) // 2)
    assert pace.per_second == 0.5
    assert pace.words(10_060) == "0.5 a second, about 1 min left"
    for second in range(161, 222):
        pace.note(second, 10_030)
    assert pace.words(10_060) == "0.0 a second"
    assert pace.words(None) == "0.0 a second"


def test_nothing_left_has_no_time_left() -> None:
    assert pace_words(20.0, 0) == "20 a second"
    assert pace_words(None, 5) == ""


def test_edge_25_the_line_of_a_wait_has_total_rate_and_time_left_once_they_are_known() -> None:
    moment = [0.0]
    stream = io.StringIO()
    progress = Progress("import", None, stream=stream, now=lambda: moment[0])
    for second, done, total in [
        (2, 0, None),
        (4, 100, 1_000),
        (6, 300, 1_000),
        *((s, 300, 1_000) for s in range(7, 27)),
    ]:
        moment[0] = second
        progress.show(done, total=total)
    assert stream.getvalue().splitlines() == [
        "import: 0, 2 s",
        "import: 100 of 1,000, 50 a second, about 18 s left, 4 s",
        "import: 300 of 1,000, 75 a second, about 9 s left, 6 s",
        "import: 300 of 1,000, 21 a second, about 33 s left, 16 s",
        "import: 300 of 1,000, 12 a second, about 56 s left, 26 s",
    ]


def job(**fields: object) -> ImportJob:
    given = {
        "id": "i",
        "table": "t",
        "status": "PROCESSING",
        "attempt": 1,
        "mode": None,
        "bucket": "b",
        "object_key": "k",
        "counts": Counts(1_000, applied=200),
        "created_at": "2026-01-01T00:00:00.000Z",
        "created_by": "u",
        "updated_at": "2026-01-01T00:00:00.000Z",
        "started_at": "2026-01-01T00:00:00.000Z",
    }
    return ImportJob(**{**given, **fields})  # type: ignore[arg-type]


def test_edge_25_a_running_import_is_shown_with_its_pace() -> None:
    now = 1_767_225_600.0 + 20
    assert pace_of(job(), now) == "10 a second, about 1 min left"
    for fields in ({"status": "COMPLETED"}, {"attempt": 2}, {"counts": Counts(None)}):
        assert pace_of(job(**fields), now) == ""
