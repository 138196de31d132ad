"""One row on its way to a command, without any I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.consumers.failure_policy import Consumer, Outcome, outcome_of
from handlers.core.context import InvokeContext
from handlers.core.error_text import message_of, type_of
from handlers.core.errors import ValidationError
from handlers.core.light_dataclasses import dataclass
from handlers.imports.errors import INVALID_VALUE, RowProblem

if TYPE_CHECKING:
    from handlers.commands.model import CommandInput
    from handlers.imports.strategy import ImportStrategy, Row

#: For keys of which only the type and the code are looked at.
ANY_TENANT = InvokeContext("", "t")


@dataclass(frozen=True)
class Prepared:
    """What a row asks for: ``given`` to be published, or the ``problem`` that it has; ``row`` is transformed."""

    row: Row
    given: CommandInput | None
    problem: RowProblem | None


def prepare(row: Row, strategy: ImportStrategy) -> Prepared:
    """Transform, validate and map; look at the command and at its key. The tenant was looked at with the request.

    Raises:
        What the strategy raises and another try may find right; any other error is the row's problem.
    """
    try:
        row = strategy.transform(row)
        strategy.validate(row)
        given = strategy.map(row)
        given = given.checked()
        given.key(ANY_TENANT)
    except Exception as error:
        problem = problem_of(error)
        if problem is None:
            raise
        return Prepared(row, None, problem)
    return Prepared(row, given, None)


def problem_of(error: Exception) -> RowProblem | None:
    """Why a row fails at once; None: another try may find it right."""
    if outcome_of(error, Consumer.IMPORT_ROW) is not Outcome.FAILED:
        return None
    return RowProblem(INVALID_VALUE if isinstance(error, ValidationError) else type_of(error), message_of(error))
