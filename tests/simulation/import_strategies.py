"""Import strategies of the simulated application: rows become orders, which have the simulation's sync targets."""

from __future__ import annotations

from handlers.commands.model import CommandInput
from handlers.core.errors import ValidationError
from handlers.imports.files.layout import REJECT, SYNC
from handlers.imports.strategy import ImportStrategy, Row, import_strategy

COLUMNS = ("code", "n", "note")
#: The last of rows with one code is applied, or the first; the last, synchronously, with and without sync targets.
LASTS, FIRSTS, SYNCS, NOTES = "lasts", "firsts", "syncs", "notes"
TABLES = (LASTS, FIRSTS, SYNCS, NOTES)
#: A type that no sync target wants.
NOTE = "NOTE"


class _Orders(ImportStrategy):
    type = "ORDER"

    def validate(self, row: Row) -> None:
        """Raises ValidationError naming the column."""
        if not row["n"].isdigit():
            raise ValidationError("n", row["n"], "digits")

    def map(self, row: Row) -> CommandInput:
        """See ImportStrategy."""
        return CommandInput(self.type, row["code"], f"n{row['n']}", {"n": int(row["n"]), "note": row["note"]})


@import_strategy(LASTS, columns=COLUMNS, key=("code",))
class Lasts(_Orders):
    """Of rows with one code, the last is applied."""


@import_strategy(FIRSTS, columns=COLUMNS, key=("code",), on_duplicate=REJECT)
class Firsts(_Orders):
    """Of rows with one code, the first is applied."""


@import_strategy(SYNCS, columns=COLUMNS, key=("code",), publish=SYNC)
class Syncs(_Orders):
    """Rows are handed to the sync targets in their turn."""


@import_strategy(NOTES, columns=COLUMNS, key=("code",), publish=SYNC)
class Notes(_Orders):
    """Rows are applied in one transaction."""

    type = NOTE
