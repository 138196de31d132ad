"""Where the two may differ. Each entry is a line of ``tests/real/differences.md``, which says who is right and why."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.real.dynamodb.sides import Answer


@dataclass(frozen=True)
class Known:
    """``ours`` and ``theirs``: patterns of an answer as ``code message``; ``operations``: "" for all.

    ``contents``: what holds of what they answer besides.
    """

    title: str
    ours: str
    theirs: str = ".*"
    operations: str = ""
    contents: Callable[[Any, Any], bool] = lambda _ours, _theirs: True

    def fits(self, operation: str, ours: Answer, theirs: Answer) -> bool:
        """Whether a difference is this one."""
        said = (f"{one.code} {one.message}" for one in (ours, theirs))
        patterns = zip((self.ours, self.theirs), said, strict=True)
        return (
            operation in (self.operations or operation).split()
            and all(re.match(pattern, text, re.DOTALL) is not None for pattern, text in patterns)
            and self.contents(ours.content, theirs.content)
        )


def _only_the_key_more(ours: Any, theirs: Any) -> bool:
    """Theirs has the attributes of a new item, which are its key, and ours none."""
    return not ours and theirs.keys() == {"Attributes"} and theirs["Attributes"].keys() <= {"pk", "sk"}


def _only_the_range_key_more(ours: Any, theirs: Any) -> bool:
    """Theirs has the range key in items that are otherwise the same."""

    def without(responses: Any) -> list[Any]:
        return [{name: part for name, part in one.get("Item", {}).items() if name != "sk"} for one in responses]

    return without(ours["Responses"]) == without(theirs["Responses"])


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
        r"ValidationException ExpressionAttribute(Names|Values) (can only be specified when using|must not be empty)",
        operations="TransactWriteItems TransactGetItems",
    ),
    Known(
        "the empty text in a key condition",
        r"ValidationException One or more parameter values are not valid. .* empty string value. Key: [ps]k",
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
    Known("operands of attribute_type", _STATIC + r"Incorrect operand type .* function: attribute_type, operand type"),
    Known(
        "wrong values deep in those of expressions",
        r"ValidationException One or more parameter values were invalid: (An? \w+ set|Binary sets|Input collection)",
        r"(OK|ConditionalCheckFailedException)",
    ),
    Known(
        "an empty ClientRequestToken",
        r"ValidationException .*Value '' at 'clientRequestToken'",
        operations="TransactWriteItems",
    ),
    Known(
        "placeholders of a filter that has nothing to look at",
        _STATIC + r"An expression attribute (name|value) used",
        r"OK",
        operations="Query Scan",
    ),
    Known(
        "several errors in a transaction",
        r"ValidationException",
        r"IdempotentParameterMismatchException",
        operations="TransactWriteItems",
    ),
    Known(
        "several errors in a transaction",
        r"ValidationException Transaction request cannot include multiple operations",
        r"TransactionCanceledException",
        operations="TransactWriteItems TransactGetItems",
    ),
    Known(
        "several errors in a transaction",
        r"TransactionCanceledException .*\[.*ValidationError",
        r"ValidationException One or more parameter values are not valid",
        operations="TransactWriteItems",
    ),
    Known(
        "a name without a value, behind an AND that is decided",
        _STATIC + r"An expression attribute name used in the document path is not defined",
        r"ConditionalCheckFailedException The conditional request failed",
    ),
    Known(
        "NOT of NOT", r"(InternalServerError ValueError|ValidationException Bad Filter Expression): Bad NOT expression"
    ),
    Known(
        "elements of lists behind a placeholder, in projections",
        r"ValidationException Value provided in ExpressionAttributeNames unused in expressions",
        r"OK",
        operations="Query Scan",
    ),
    Known("a projection of the hash key alone", "OK", "OK", "TransactGetItems", _only_the_range_key_more),
    Known("a new item's old attributes", "OK", "OK", "UpdateItem", _only_the_key_more),
    Known(
        "parentheses in updates",
        r"InternalServerError AssertionError",
        operations="UpdateItem TransactWriteItems",
    ),
)


def known(operation: str, ours: Answer, theirs: Answer) -> Known | None:
    """The entry of a difference."""
    return next((one for one in KNOWN if one.fits(operation, ours, theirs)), None)
