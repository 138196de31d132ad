"""Cells that people open in spreadsheets: nothing is run, numbers stay, and what was written is read back."""

from __future__ import annotations

import random

import pytest

from handlers.imports.files.spreadsheet import line_of, neutralised, restored


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+81-3", "'+81-3"),
        ("-2+3", "'-2+3"),
        ("@SUM(1)", "'@SUM(1)"),
        ("\t=1", "'\t=1"),
        ("\rx", "'\rx"),
        ("\nx", "'\nx"),
        ("\0x", "'\0x"),
        ("\uff1dcmd|' /C calc'!A0", "'\uff1dcmd|' /C calc'!A0"),
        ("\uff0b1", "'\uff0b1"),
        ("\uff0d1", "'\uff0d1"),
        ("\uff20SUM(1)", "'\uff20SUM(1)"),
        (" =1", "' =1"),
        ("\u3000=1", "'\u3000=1"),
        ("\xa0=1", "'\xa0=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ('"=1', "'\"=1"),
        # Where the list separator is a semicolon, or lines are split whatever the quotes say.
        ("a;=1", "a;'=1"),
        ("a\n=1", "a\n'=1"),
        ("a\r\n =1", "a\r\n' =1"),
        ("-5;-5+A1", "-5;'-5+A1"),
        ("\n=1", "'\n'=1"),
    ],
)
def test_edge_28_what_a_spreadsheet_runs_has_an_apostrophe_in_front(text: str, cell: str) -> None:
    assert neutralised(text) == cell
    assert restored(cell) == text


@pytest.mark.parametrize("text", ["-53.49", "+12", "-0", "-1,234.5", "-1.234,5", "+1.5E-3", "12", "-1;-2", "-1\n-2"])
def test_edge_28_plain_numbers_stay_as_they_are(text: str) -> None:
    assert neutralised(text) == text
    assert restored(text) == text


@pytest.mark.parametrize("text", ["", "a", "it's", "a=b", "a - b", "1-2", "2026-01-31", "'a'", "a;b", "x@example.com"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert neutralised(text) == text


def test_edge_28_every_text_is_read_back_as_it_was_also_one_with_apostrophes() -> None:
    assert neutralised("'=1") == "''=1"
    random_ = random.Random(28)
    for _ in range(20_000):
        text = "".join(random_.choice("=+-@\uff1d'\"; \t\r\n\0,.5ae\u3000") for _ in range(random_.randrange(9)))
        assert restored(neutralised(text)) == text


def test_long_values_take_their_length() -> None:
    """Nothing is tried twice: each would take minutes otherwise."""
    for text in ("1" * 1_000_000, "-" + "1" * 1_000_000 + "x", "'" * 1_000_000, " " * 1_000_000, ";-1," * 250_000):
        assert restored(neutralised(text)) == text


def test_edge_28_cells_that_some_program_would_split_are_quoted() -> None:
    """The module ``csv`` leaves a tab and a semicolon as they are where a comma separates."""
    assert line_of(["1", "a", 'b"c', "d\t=1", "e;f", "g,h", "i\r", ""]) == '1,a,"b""c","d\t=1","e;f","g,h","i\r",\r\n'
