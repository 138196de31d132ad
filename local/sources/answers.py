"""Lambda's interpretation of a function's response to a batch.

Source: Lambda Developer Guide, "Configuring partial batch response with DynamoDB and Lambda" and "Implementing partial
batch responses" (SQS): success and failure conditions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from local.functions.model import InvokeResult


class WholeBatchFailed(Exception):
    """Every record of the batch failed."""


def failed_identifiers(result: InvokeResult, *, partial: bool) -> list[str]:
    """The ``itemIdentifier`` values of the records that failed; empty = all succeeded.

    Args:
        result: the function's result.
        partial: whether the mapping has ``ReportBatchItemFailures``; without it, the response is ignored.

    Raises:
        WholeBatchFailed: the function raised, or an identifier is empty, missing or not a string.
    """
    if result.error is not None:
        raise WholeBatchFailed(f"{result.error.error_type}: {result.error.message}")
    if not partial or not result.payload:
        return []
    if not isinstance(result.payload, dict):
        raise WholeBatchFailed(f"the answer is not an object: {type(result.payload).__name__}")
    failures: Any = result.payload.get("batchItemFailures")
    if not failures:
        return []
    if not isinstance(failures, Sequence) or isinstance(failures, str):
        raise WholeBatchFailed("batchItemFailures is not a list")
    identifiers = []
    for failure in failures:
        identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
        if not isinstance(identifier, str) or not identifier:
            raise WholeBatchFailed(f"a batchItemFailures entry has no itemIdentifier: {failure!r}")
        identifiers.append(identifier)
    return identifiers
