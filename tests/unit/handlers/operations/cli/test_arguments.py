"""Numbers and times on the command line: taken, or one line that says what is allowed."""

from __future__ import annotations

import argparse

import pytest

from cli.errors import CommandError
from cli.operate.arguments import MOST, positive, rate, since
from handlers.core.clock import iso

NOW = 1_767_225_600.0  # 2026-01-01


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", "2025-12-31T22:30:00.000Z"),
        ("3d", "2025-12-29T00:00:00.000Z"),
        ("999999d", "1970-01-01T00:00:00.000Z"),
        ("2025-12-31T09:00:00+09:00", "2025-12-31T00:00:00.000Z"),
        ("0001-01-01T00:00:00+14:00", "1970-01-01T00:00:00.000Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.000Z"),
    ],
)
def test_a_time_is_one_that_rows_can_be_compared_with(text: str, moment: str) -> None:
    assert iso(since(text, NOW)) == moment


@pytest.mark.parametrize("text", ["", "0m", "1w", "1000000d", "2026-01-01", "2026-01-01T00:00:00", "-3d"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(CommandError, match="is neither a time with its zone"):
        since(text, NOW)


def test_numbers_have_bounds() -> None:
    assert [positive("1"), positive("0007"), positive(str(MOST))] == [1, 7, MOST]
    for text in ("0", "-1", "1.5", "x", "", "\u0663", str(MOST + 1), "9" * 5_000):
        with pytest.raises(argparse.ArgumentTypeError, match="not a whole number from 1 to 1,000,000,000") as refused:
            positive(text)
        assert len(str(refused.value)) < 160
    assert rate("0.5") == 0.5
    for text in ("0", "nan", "inf", "1e400", "x", "-1"):
        with pytest.raises(argparse.ArgumentTypeError, match=r"rows per second from 0.01 to 10,000"):
            rate(text)
