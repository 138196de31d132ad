"""CSV files that people open in a spreadsheet: nothing in them is run, and what was written is read back.

What starts a formula is OWASP's list ("CSV Injection"): ``= + - @``, their full-width forms, tab, carriage return, line
feed; and NUL (OWASP ASVS 5.0, 1.2.10). Spreadsheets also look behind blanks in front, and behind what they take for the
end of a cell: where the list separator is a semicolon, a comma separates nothing, the quotes round a value are part of
the text, and each semicolon or line end in the value begins another cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Lets spreadsheets read a file as UTF-8.
BYTE_ORDER_MARK = "\ufeff"
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
#: In front of a sign, spreadsheets drop blanks of all kinds; quotes are left where one takes them for its own.
_AHEAD = r"(?:[^\S\r\n]|[\0\u200b\ufeff\"'])*"
#: Digits with a sign, separators and exponent: no function, no name, no further operator.
_NUMBER = r"[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]{1,3})?"
_RUN = re.compile(rf"(?=\A{_AHEAD}[{_SIGNS}\t\r\n\0]|(?<=[;\r\n]){_AHEAD}[{_SIGNS}])(?!{_NUMBER}(?:[;\r\n]|\Z))")
_NEUTRALISED = re.compile(rf"\A'(?={_AHEAD}[{_SIGNS}\t\r\n\0])|(?<=[;\r\n])'(?={_AHEAD}[{_SIGNS}])")
#: What some program takes for the end of a cell, whatever separates them here.
_QUOTED = re.compile(r"[\",;\t\r\n]")


def neutralised(value: object) -> str:
    """The cell with an apostrophe in front of all that a spreadsheet would run; a plain number stays as it is."""
    return _RUN.sub("'", str(value))


def restored(cell: str) -> str:
    """What a cell held before it was neutralised: ``restored(neutralised(text)) == text`` for every text."""
    return _NEUTRALISED.sub("", cell)


def line_of(cells: Iterable[str]) -> str:
    """Neutralised cells as a line of the file (RFC 4180). The ``csv`` module would leave a tab unquoted."""
    return ",".join(_quoted(cell) if _QUOTED.search(cell) else cell for cell in cells) + "\r\n"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
