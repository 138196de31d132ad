"""One row on its way to a command, without any I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from handlers.commands.model import CommandInput
from handlers.error_text import message_of
from handlers.errors import ValidationError
from handlers.imports.errors import INVALID_VALUE, RowProblem
from handlers.imports.strategy import ImportStrategy, Layout, Row


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a row asks for: ``given`` to be published, or the ``problem`` that it has; ``row`` is transformed."""

    row: Row
    given: CommandInput | None
    problem: RowProblem | None


def row_of(header: Sequence[str], values: Sequence[str], layout: Layout) -> dict[str, str]:
    """A record by column name; optional columns that the file doesn't have are empty."""
    row = dict.fromkeys(layout.optional, "") if layout.optional else {}
    row.update(zip(header, values, strict=True))
    return row


def prepare(row: Row, strategy: ImportStrategy) -> Prepared:
    """Transform, validate and map. A strategy's ValidationError is the row's problem; any other error is raised."""
    try:
        row = strategy.transform(row)
        strategy.validate(row)
        given = strategy.map(row)
        given = given.checked()
    except ValidationError as error:
        return Prepared(row, None, RowProblem(INVALID_VALUE, message_of(error)))
    return Prepared(row, given, None)
