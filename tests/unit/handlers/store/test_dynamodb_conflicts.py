"""What the DynamoDB adapter does about conflicts between transactions."""

from __future__ import annotations

from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from handlers.core.errors import TransientConflict, TransientThrottle
from handlers.store.dynamodb import CONFLICT_TRIES, DynamoTableStore
from handlers.store.port import ConditionFailed, Put


class Client:
    """Fails with the given codes in turn, then answers."""

    def __init__(self, *errors: dict[str, Any]) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        def call(**_: Any) -> dict[str, Any]:
            self.calls += 1
            if self.errors:
                raise ClientError(cast("Any", self.errors.pop(0)), name)
            return {"Responses": [], "Attributes": {}}

        return call


def error(code: str, *reasons: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": ""}, "CancellationReasons": [{"Code": reason} for reason in reasons]}


#: API reference, TransactGetItems and UpdateItem: how a conflict shows in each.
CANCELLED = error("TransactionCanceledException", "None", "TransactionConflict")
REFUSED = error("TransactionConflictException")


def store(client: Client) -> tuple[DynamoTableStore, list[float]]:
    slept: list[float] = []
    return DynamoTableStore(cast("Any", client), {"commands": "c"}, sleep=slept.append), slept


def test_a_conflict_is_tried_again_soon() -> None:
    client = Client(CANCELLED, CANCELLED)
    table, slept = store(client)
    assert table.get_together([("commands", "p", "s")]) == []
    assert (client.calls, len(slept)) == (3, 2)
    assert all(0 <= seconds <= 0.1 for seconds in slept)


def test_a_lasting_conflict_is_the_callers() -> None:
    client = Client(*[REFUSED] * CONFLICT_TRIES)
    table, slept = store(client)
    with pytest.raises(TransientConflict):
        table.put("commands", {"pk": "p", "sk": "s"})
    assert (client.calls, len(slept)) == (CONFLICT_TRIES, CONFLICT_TRIES - 1)


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (error("ConditionalCheckFailedException"), ConditionFailed),
        (error("ThrottlingException"), TransientThrottle),
        # API reference, TransactionCanceledException: a reason has no "Exception" at its end
        (error("TransactionCanceledException", "None", "ProvisionedThroughputExceeded"), TransientThrottle),
        (error("TransactionCanceledException", "ThrottlingError", "None"), TransientThrottle),
    ],
)
def test_other_errors_are_not_tried_again_here(failure: dict[str, Any], expected: type[Exception]) -> None:
    client = Client(failure)
    table, slept = store(client)
    with pytest.raises(expected):
        table.put("commands", {"pk": "p", "sk": "s"})
    assert (client.calls, slept) == (1, [])


def test_a_failed_condition_beats_a_conflict_in_the_same_transaction() -> None:
    client = Client(error("TransactionCanceledException", "ConditionalCheckFailed", "TransactionConflict"))
    table, slept = store(client)
    with pytest.raises(Exception, match="conditions failed in a transaction"):
        table.transact([Put("commands", {"pk": "p", "sk": "s"}), Put("commands", {"pk": "p", "sk": "t"})])
    assert slept == []


def test_a_key_that_was_not_processed_is_missing() -> None:
    """The answer: API reference, BatchGetItem, "UnprocessedKeys"."""
    answer = {
        "Responses": {"c": [{"pk": {"S": "p"}, "sk": {"S": "2"}, "n": {"N": "1"}}]},
        "UnprocessedKeys": {"c": {"Keys": [{"pk": {"S": "p"}, "sk": {"S": "3"}}], "ConsistentRead": True}},
    }
    asked: list[Any] = []

    class Half:
        def batch_get_item(self, **arguments: Any) -> Any:
            asked.append(arguments)
            return answer

    table = DynamoTableStore(cast("Any", Half()), {"commands": "c"})
    keys = [("commands", "p", str(number)) for number in (1, 2, 3)]
    assert table.get_each([*keys, keys[0]]) == {keys[0]: None, keys[1]: {"pk": "p", "sk": "2", "n": 1}}
    wanted = [{"pk": {"S": pk}, "sk": {"S": sk}} for _, pk, sk in keys]
    assert asked == [{"RequestItems": {"c": {"Keys": wanted, "ConsistentRead": True}}}]
