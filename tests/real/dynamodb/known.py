"""Where the two may differ. Each entry is a line of ``tests/real/differences.md``, which says who is right and why."""

from __future__ import annotations

import re
from dataclasses import dataclass

ERRORS = ("ValidationException", "TransactionCanceledException")


@dataclass(frozen=True)
class Known:
    """``ours`` and ``theirs``: patterns of an answer as ``code message``; ``operations``: "" for all."""

    title: str
    ours: str
    theirs: str = ".*"
    operations: str = ""

    def fits(self, operation: str, ours: str, theirs: str) -> bool:
        """Whether a difference is this one."""
        return (
            operation in (self.operations or operation).split()
            and re.match(self.ours, ours, re.DOTALL) is not None
            and re.match(self.theirs, theirs, re.DOTALL) is not None
        )


_STATIC = r"ValidationException Invalid \w+Expression: "

KNOWN = (
    Known(
        "an order of what has none", _STATIC + r"Incorrect operand type .* function: (<=?|>=?|BETWEEN), operand type"
    ),
    Known("an attribute that is compared with itself", _STATIC + r"The first operand must be distinct"),
    Known("a path that takes for a map what another takes for a list", _STATIC + r"Two document paths conflict"),
    Known(
        "operands of expressions in transactions",
        _STATIC + r"(Incorrect operand type|The BETWEEN operator|An expression attribute (name|value) used)",
        operations="TransactWriteItems",
    ),
    Known(
        "names and values without an expression, in transactions",
        r"ValidationException ExpressionAttribute(Names|Values) can only be specified when using expressions",
        operations="TransactWriteItems TransactGetItems",
    ),
    Known(
        "the empty text and a range key",
        r"ValidationException One or more parameter values are not valid. .* empty string value. Key: sk",
        r"OK",
        operations="Query",
    ),
    Known(
        "steps into a key attribute",
        r"(OK|ConditionalCheckFailedException|TransactionCanceledException|ValidationException)",
        r"ValidationException Key attributes must be scalars",
    ),
    Known(
        "a key attribute that a transaction updates",
        r"TransactionCanceledException .*Cannot update attribute \w+. This attribute is part of the key",
        operations="TransactWriteItems",
    ),
    Known("several errors, a table that is not there among them", r"ResourceNotFoundException", r"ValidationException"),
    Known("several errors, a table that is not there among them", r"ValidationException", r"ResourceNotFoundException"),
    Known("a type's name that is none", _STATIC + r"Invalid attribute type name found"),
    Known("a projection of the hash key alone", r"OK", r"OK", operations="TransactGetItems"),
    Known("a new item's old attributes", r"OK", r"OK", operations="UpdateItem"),
    Known(
        "parentheses in updates",
        r"InternalServerError AssertionError",
        operations="UpdateItem TransactWriteItems",
    ),
)


def known(operation: str, ours: str, theirs: str) -> Known | None:
    """The entry of a difference; answers as ``code message``."""
    return next((one for one in KNOWN if one.fits(operation, ours, theirs)), None)
