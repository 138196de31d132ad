"""Problems of a file or of one row: a code for programs, a message for people."""

from __future__ import annotations

from handlers.core.errors import CqrsError
from handlers.core.light_dataclasses import dataclass

EMPTY_FILE = "EmptyFile"
NOT_CSV = "NotCsv"
NOT_JSON_LINES = "NotJsonLines"
UNKNOWN_ENCODING = "UnknownEncoding"
UNKNOWN_DELIMITER = "UnknownDelimiter"
ZERO_BYTES = "ZeroBytes"
MISSING_COLUMN = "MissingColumn"
DUPLICATE_COLUMN = "DuplicateColumn"
UNKNOWN_COLUMN = "UnknownColumn"
HEADER_TOO_LONG = "HeaderTooLong"
UNCLOSED_QUOTE = "UnclosedQuote"
LINE_TOO_LONG = "LineTooLong"
FIELD_TOO_LONG = "FieldTooLong"
TOO_MANY_ROWS = "TooManyRows"
NO_TABLE = "NoTable"
UNKNOWN_TABLE = "UnknownTable"
WRONG_PLACE = "WrongPlace"

ROW_TOO_LONG = "RowTooLong"
TOO_MANY_VALUES = "TooManyValues"
MALFORMED_QUOTES = "MalformedQuotes"
INVALID_JSON = "InvalidJson"
REPEATED_KEY = "RepeatedKey"
INVALID_VALUE = "InvalidValue"

#: Problems of a row that are in the file, so that no other attempt helps. In JSON Lines, each row has its columns.
PERMANENT = (
    ROW_TOO_LONG,
    TOO_MANY_VALUES,
    MALFORMED_QUOTES,
    REPEATED_KEY,
    INVALID_JSON,
    MISSING_COLUMN,
    UNKNOWN_COLUMN,
)


class ImportRefused(CqrsError):
    """A whole file, or the request to import it, is refused; no row was written. ``code`` is one of the above."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True)
class RowProblem:
    """Why a row isn't applied."""

    code: str
    message: str
