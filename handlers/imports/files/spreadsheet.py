"""Makes CSV files safe to open in a spreadsheet: no cell is evaluated, and the original values can be restored.

Formula prefixes are those in OWASP's list ("CSV Injection"): ``= + - @``, their full-width forms, tab, carriage return,
line feed; and NUL (OWASP ASVS 5.0, 1.2.10). Spreadsheets also skip leading blanks, and may see other cell boundaries:
if the list separator is a semicolon, a comma separates nothing, the quotes around a value are part of the text, and
each semicolon or line end in the value starts another cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Lets spreadsheets read a file as UTF-8.
BYTE_ORDER_MARK = "\ufeff"
_SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
#: Spreadsheets skip blanks of all kinds before a sign; quotes remain if they are taken as text.
_AHEAD = r"(?:[^\S\r\n]|[\0\u200b\ufeff\"'])*"
#: Digits with a sign, separators and exponent: no function, no name, no further operator.
_NUMBER = r"[+-]?[0-9][0-9.,]*(?:[eE][+-]?[0-9]{1,3})?"
_RUN = re.compile(rf"(?=\A{_AHEAD}[{_SIGNS}\t\r\n\0]|(?<=[;\r\n]){_AHEAD}[{_SIGNS}])(?!{_NUMBER}(?:[;\r\n]|\Z))")
_NEUTRALISED = re.compile(rf"\A'(?={_AHEAD}[{_SIGNS}\t\r\n\0])|(?<=[;\r\n])'(?={_AHEAD}[{_SIGNS}])")
#: Characters that some program takes for the end of a cell, whatever the delimiter.
_QUOTED = re.compile(r"[\",;\t\r\n]")


def neutralised(value: object) -> str:
    """The cell with an apostrophe before everything that a spreadsheet would evaluate; plain numbers are unchanged."""
    return _RUN.sub("'", str(value))


def restored(cell: str) -> str:
    """The cell before it was neutralised: ``restored(neutralised(text)) == text`` for every text."""
    return _NEUTRALISED.sub("", cell)


def line_of(cells: Iterable[str]) -> str:
    """Neutralised cells as a line of the file (RFC 4180). The ``csv`` module would leave a tab unquoted."""
    return ",".join(_quoted(cell) if _QUOTED.search(cell) else cell for cell in cells) + "\r\n"


def _quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"'
