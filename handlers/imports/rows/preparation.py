"""Converts a row to a command, without I/O."""

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

#: For validating keys of which only type and code matter.
ANY_TENANT = InvokeContext("", "t")


@dataclass(frozen=True)
class Prepared:
    """The result for a row: ``given`` to publish, or its ``problem``; ``row`` is transformed."""

    row: Row
    given: CommandInput | None
    problem: RowProblem | None


def prepare(row: Row, strategy: ImportStrategy) -> Prepared:
    """Transform, validate and map a row; validate the command and its key. The tenant was validated with the request.

    Raises:
        Errors of the strategy that a retry may fix; all others become the row's problem.
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
    """Why a row fails at once; None: a retry may fix the error."""
    if outcome_of(error, Consumer.IMPORT_ROW) is not Outcome.FAILED:
        return None
    return RowProblem(INVALID_VALUE if isinstance(error, ValidationError) else type_of(error), message_of(error))
