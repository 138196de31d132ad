"""Decision records: each has a number, a status and a date, and the index lists them as they are."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest

from local.runtime import PROJECT_DIR

FOLDER = PROJECT_DIR / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
_HEAD = re.compile(r"# (?P<number>\d{4}) (?P<title>.+)\n\nStatus: (?P<status>.+?) · Date: (?P<date>\S+)\n")
_STATUS = re.compile(r"proposed|accepted|superseded by (\d{4})")


def head_of(record: Path) -> re.Match[str]:
    head = _HEAD.match(record.read_text(encoding="utf-8"))
    assert head, f"{record.name} does not begin with '# NNNN Title' and 'Status: ... · Date: ...'"
    return head


@pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.name)
def test_a_record_has_number_status_and_date(record: Path) -> None:
    head = head_of(record)
    assert record.name.startswith(f"{head['number']}-")
    datetime.date.fromisoformat(head["date"])
    status = _STATUS.fullmatch(head["status"])
    assert status, head["status"]
    if status[1]:
        assert list(FOLDER.glob(f"{status[1]}-*.md")), f"there is no record {status[1]}"


def test_numbers_are_distinct() -> None:
    numbers = [record.name[:4] for record in RECORDS]
    assert len(numbers) >= 70
    assert numbers == sorted(set(numbers))


def test_the_index_lists_each_record_as_it_is() -> None:
    expected = [
        f"| [{head['number']}]({record.name}) | {head['title']} | {head['status']} | {head['date']} |"
        for record in RECORDS
        for head in [head_of(record)]
    ]
    lines = (FOLDER / "README.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| [")] == expected
