"""TransactWriteItems and TransactGetItems.

All conditions are checked and all results planned before anything is stored, under the endpoint's lock, so no copy of a
table is needed to roll a transaction back. Facts from the API reference, TransactWriteItems: up to 100 actions and
4 MB, no two on the same item; a ClientRequestToken makes the call idempotent for 10 minutes; a token reused with other
parameters is refused; CancellationReasons has an entry for every action, in order.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import (
    ERROR_TYPE_PREFIX,
    ConditionalCheckFailed,
    MockValidationException,
    MultipleTransactionsException,
    ProvidedKeyDoesNotExist,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models.table import Table

from local.aws.tables.images import size_of
from local.aws.tables.items import Change, Values, apply, find, key_of
from local.aws.tables.key_checks import check_key
from local.aws.tables.writes import condition_of, plan
from local.json_bytes import json_bytes

MAX_ACTIONS = 100
MAX_BYTES = 4 * 1024 * 1024
TOKEN_LIFETIME_S = 600.0
ACTIONS = ("ConditionCheck", "Put", "Update", "Delete")

#: (code, message, item) of one action; three Nones if it succeeded.
Reason = tuple[str | None, str | None, Mapping[str, Any] | None]


class TokenStore:
    """The ClientRequestTokens of the last 10 minutes."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def is_replay(self, token: str | None, request: Mapping[str, Any], now: float) -> bool:
        """Whether the same request has succeeded before.

        Raises:
            JsonRESTError: IdempotentParameterMismatchException: the token was used for another request.
        """
        while self._seen and next(iter(self._seen.values()))[0] + TOKEN_LIFETIME_S <= now:
            self._seen.popitem(last=False)
        known = self._seen.get(token) if token else None
        if known is None:
            return False
        if known[1] != _digest(request):
            raise JsonRESTError(
                ERROR_TYPE_PREFIX + "IdempotentParameterMismatchException",
                "The request uses the same client token as a previous, but non-identical request.",
            )
        return True

    def remember(self, token: str | None, request: Mapping[str, Any], now: float) -> None:
        """Record a successful request."""
        if token:
            self._seen[token] = (now, _digest(request))


def transact_write(get_table: Callable[[str], Table], actions: Sequence[Mapping[str, Any]]) -> None:
    """Do all of ``actions`` or none.

    Raises:
        TransactionCanceledException: a condition failed, or an update doesn't match its item.
        MockValidationException: the request itself is invalid.
    """
    if len(actions) > MAX_ACTIONS:
        raise TooManyTransactionsException
    targets: set[tuple[str, Any, Any]] = set()
    for action in actions:
        if len(action) != 1:
            raise TransactWriteSingleOpException
        kind, request = next(iter(action.items()))
        if kind not in ACTIONS:
            raise MockValidationException(f"unknown transaction action {kind}; allowed are {', '.join(ACTIONS)}")
        table = get_table(request["TableName"])
        try:
            target = (table.name, *key_of(table, request["Item" if kind == "Put" else "Key"], whole=kind != "Put"))
        except ProvidedKeyDoesNotExist:
            continue  # a reason to cancel, below
        if target in targets:
            raise MultipleTransactionsException
        targets.add(target)
    reasons: list[Reason] = []
    changes: list[Change] = []
    for action in actions:
        kind, request = next(iter(action.items()))
        try:
            change = _plan(get_table(request["TableName"]), kind, request)
        except ConditionalCheckFailed as failed:
            reasons.append(("ConditionalCheckFailed", "The conditional request failed", _item_of(failed)))
        except MockValidationException as wrong:
            # It doesn't match the table or item; errors in the request itself were raised before.
            reasons.append(("ValidationError", wrong.exception_msg, None))
        else:
            reasons.append((None, None, None))
            if change is not None:
                changes.append(change)
    if any(code is not None for code, _, _ in reasons):
        raise TransactionCanceledException(reasons)
    if sum(size_of(change.new) for change in changes if change.new is not None) > MAX_BYTES:
        raise MockValidationException("Transaction request cannot exceed 4 MB")
    for change in changes:
        apply(change)


def _plan(table: Table, kind: str, request: Mapping[str, Any]) -> Change | None:
    if kind != "ConditionCheck":
        return plan(kind, table, request)
    check_key(table, request["Key"])
    condition_of(request).check(find(table, *key_of(table, request["Key"])))
    return None


def transact_get(
    get_table: Callable[[str], Table], gets: Sequence[Mapping[str, Any]], project: Callable[[Any, Values], Any]
) -> list[dict[str, Any]]:
    """The items in the order of ``gets``; ``{}`` for an absent one. ``project`` applies a ProjectionExpression."""
    if len(gets) > MAX_ACTIONS:
        raise MockValidationException(
            "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_ACTIONS}"
        )
    found: list[dict[str, Any]] = []
    reasons: list[Reason] = []
    seen: set[tuple[str, Any, Any]] = set()
    for entry in gets:
        request = entry["Get"]
        table = get_table(request["TableName"])
        try:
            check_key(table, request["Key"])
        except MockValidationException as wrong:
            reasons.append(("ValidationError", wrong.exception_msg, None))
            continue
        reasons.append((None, None, None))
        key = key_of(table, request["Key"])
        if (table.name, *key) in seen:
            raise MultipleTransactionsException
        seen.add((table.name, *key))
        item = find(table, *key)
        found.append({} if item is None else {"Item": project(item, request)})
    if any(code is not None for code, _, _ in reasons):
        raise TransactionCanceledException(reasons)
    return found


def _item_of(failed: ConditionalCheckFailed) -> Mapping[str, Any] | None:
    item: Mapping[str, Any] | None = json.loads(failed.description).get("Item")
    return item


def _digest(request: Mapping[str, Any]) -> str:
    return hashlib.sha256(json_bytes(request["TransactItems"], sort_keys=True)).hexdigest()
