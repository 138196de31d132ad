"""The table port on DynamoDB."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from handlers.core.aws.clients import UNREACHABLE
from handlers.core.aws.errors import CANCELLED, CONFLICTS, http_status_of, passes
from handlers.core.errors import TransientConflict, TransientError, TransientThrottle, ValidationError
from handlers.core.values.json_values import plain_item
from handlers.store.conditions import Condition, exists
from handlers.store.expressions import Expressions
from handlers.store.port import (
    DUE_AT,
    OPEN_INDEX,
    OPEN_SHARD,
    Change,
    Check,
    ConditionFailed,
    Delete,
    Item,
    Key,
    Page,
    Put,
    TransactionFailed,
    Update,
    Write,
    check_key,
    check_start,
)
from handlers.store.values import item_from_dynamo, item_to_dynamo, to_dynamo

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

CONDITION = "ConditionalCheckFailed"
#: Errors that depend on the updated item, which only the table can check (API reference, TransactWriteItems,
#: "Validation Error").
OUTGROWN = {
    "Item size to update has exceeded the maximum allowed size": "an update after which the item has at most 400 KB",
    "Number overflow": "an update after which the number is one that the table keeps",
    "Number underflow": "an update after which the number is one that the table keeps",
    "more than 38 significant digits": "an update after which the number is one that the table keeps",
    "operand in the update expression has an incorrect data type": "a number that is stored, where one is added",
    "Nesting Levels have exceeded": "an update after which values are nested no deeper than the table allows",
}
#: A conflicting transaction ends within milliseconds, and botocore doesn't retry (Developer Guide, "Transaction
#: conflict handling"): at most 4 tries in total, within about a third of a second.
CONFLICT_TRIES = 4
CONFLICT_SECONDS = 0.05

T = TypeVar("T")


class DynamoTableStore:
    """See ``TableStore``. ``tables`` maps logical to real table names."""

    def __init__(
        self, client: DynamoDBClient, tables: Mapping[str, str], *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._tables = tables
        self._sleep = sleep

    def get(self, table: str, pk: str, sk: str, *, consistent: bool = True) -> Item | None:
        """See TableStore."""
        answer = self._call(
            lambda: self._client.get_item(TableName=self._tables[table], Key=_key(pk, sk), ConsistentRead=consistent),
            table,
            pk,
            sk,
        )
        return item_from_dynamo(answer["Item"]) if "Item" in answer else None

    def get_together(self, keys: Sequence[Key]) -> list[Item | None]:
        """See TableStore."""
        gets: Any = [{"Get": {"TableName": self._tables[table], "Key": _key(pk, sk)}} for table, pk, sk in keys]
        answer = self._call(lambda: self._client.transact_get_items(TransactItems=gets), "several tables")
        return [item_from_dynamo(r["Item"]) if r.get("Item") else None for r in answer["Responses"]]

    def get_each(self, keys: Sequence[Key]) -> dict[Key, Item | None]:
        """See TableStore."""
        requests: dict[str, Any] = {}
        for table, pk, sk in dict.fromkeys(keys):
            asked = requests.setdefault(self._tables[table], {"Keys": [], "ConsistentRead": True})
            asked["Keys"].append(_key(pk, sk))
        answer = self._call(lambda: self._client.batch_get_item(RequestItems=requests), "several tables")
        names = {self._tables[table]: table for table, _, _ in keys}
        found: dict[Key, Item | None] = dict.fromkeys(keys)
        for name, asked in answer.get("UnprocessedKeys", {}).items():
            for key in map(item_from_dynamo, asked["Keys"]):
                del found[names[name], key["pk"], key["sk"]]
        for name, items in answer["Responses"].items():
            found |= {(names[name], item["pk"], item["sk"]): item for item in map(item_from_dynamo, items)}
        return found

    def put(self, table: str, item: Item, condition: Condition | None = None) -> None:
        """See TableStore."""
        arguments: Any = Expressions().condition(condition).arguments()
        typed = _checked(item)
        self._call(
            lambda: self._client.put_item(
                TableName=self._tables[table],
                Item=typed,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **arguments,
            ),
            table,
            item["pk"],
            item["sk"],
        )

    def update(self, table: str, pk: str, sk: str, change: Change, condition: Condition | None = None) -> Item:
        """See TableStore."""
        arguments: Any = _update_arguments(change, condition)
        answer = self._call(
            lambda: self._client.update_item(
                TableName=self._tables[table],
                Key=_key(pk, sk),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **arguments,
            ),
            table,
            pk,
            sk,
        )
        return item_from_dynamo(answer["Attributes"])

    def delete(self, table: str, pk: str, sk: str, condition: Condition | None = None) -> None:
        """See TableStore."""
        arguments: Any = Expressions().condition(condition).arguments()
        self._call(
            lambda: self._client.delete_item(
                TableName=self._tables[table],
                Key=_key(pk, sk),
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **arguments,
            ),
            table,
            pk,
            sk,
        )

    def transact(self, writes: Sequence[Write]) -> None:
        """See TableStore."""
        items: Any = [self._write(write) for write in writes]
        self._call(lambda: self._client.transact_write_items(TransactItems=items), "several tables")

    def due(self, table: str, shard: int, until: int, *, limit: int, start: Item | None = None) -> Page:
        """See TableStore."""
        arguments: dict[str, Any] = {} if start is None else {"ExclusiveStartKey": item_to_dynamo(start)}
        arguments.update(
            IndexName=OPEN_INDEX,
            KeyConditionExpression="#shard = :shard AND #due <= :until",
            ExpressionAttributeNames={"#shard": OPEN_SHARD, "#due": DUE_AT},
            ExpressionAttributeValues={":shard": to_dynamo(shard), ":until": to_dynamo(until)},
            Limit=limit,
        )
        return self._query(table, OPEN_INDEX, "", arguments)

    def query(
        self,
        table: str,
        pk: str,
        *,
        sk_prefix: str = "",
        descending: bool = False,
        limit: int | None = None,
        consistent: bool = True,
        start: Item | None = None,
    ) -> Page:
        """See TableStore."""
        arguments: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
        }
        if sk_prefix:
            arguments["KeyConditionExpression"] += " AND begins_with(sk, :prefix)"
            arguments["ExpressionAttributeValues"][":prefix"] = {"S": sk_prefix}
        if limit is not None:
            arguments["Limit"] = limit
        check_start(pk, sk_prefix, start)
        if start is not None:
            arguments["ExclusiveStartKey"] = item_to_dynamo(start)
        arguments.update(ConsistentRead=consistent, ScanIndexForward=not descending)
        return self._query(table, pk, sk_prefix, arguments)

    def _query(self, table: str, pk: str, sk: str, arguments: dict[str, Any]) -> Page:
        return _page(self._call(lambda: self._client.query(TableName=self._tables[table], **arguments), table, pk, sk))

    def _call(self, call: Callable[[], T], table: str, pk: str = "", sk: str = "") -> T:
        """Make one call, with retries after transaction conflicts, and convert botocore's errors to the port's."""
        for number in range(CONFLICT_TRIES):
            try:
                return call()
            except ClientError as error:
                failure = _port_error(error, table, pk, sk)
                if not isinstance(failure, TransientConflict) or number == CONFLICT_TRIES - 1:
                    raise failure from error
            except UNREACHABLE as error:
                raise TransientError(f"DynamoDB could not be reached: {type(error).__name__}") from error
            self._sleep(random.uniform(0, CONFLICT_SECONDS * 2**number))
        raise AssertionError("the last try returns or raises")

    def scan(
        self, table: str, *, keep: Condition | None = None, limit: int | None = None, start: Item | None = None
    ) -> Page:
        """See TableStore."""
        arguments = Expressions().filter(keep).arguments()
        if limit is not None:
            arguments["Limit"] = limit
        if start is not None:
            arguments["ExclusiveStartKey"] = item_to_dynamo(start)
        arguments["ConsistentRead"] = True
        return _page(self._call(lambda: self._client.scan(TableName=self._tables[table], **arguments), table))

    def _write(self, write: Write) -> dict[str, Any]:
        common = {"TableName": self._tables[write.table], "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        match write:
            case Put(_, item, condition):
                return {"Put": {**common, "Item": _checked(item), **Expressions().condition(condition).arguments()}}
            case Update(_, pk, sk, change, condition):
                return {"Update": {**common, "Key": _key(pk, sk), **_update_arguments(change, condition)}}
            case Check(_, pk, sk, condition):
                kind = "ConditionCheck"
            case Delete(_, pk, sk, condition):
                kind = "Delete"
        return {kind: {**common, "Key": _key(pk, sk), **Expressions().condition(condition).arguments()}}


def _page(answer: Mapping[str, Any]) -> Page:
    last = answer.get("LastEvaluatedKey")
    items = [item_from_dynamo(item) for item in answer["Items"]]
    return Page(items, item_from_dynamo(last) if last else None, answer["ScannedCount"])


def _update_arguments(change: Change, condition: Condition | None) -> dict[str, Any]:
    guarded = exists("pk") if condition is None else exists("pk") & condition
    return Expressions().condition(guarded).change(change).arguments()


def _checked(item: Item) -> dict[str, Any]:
    """An item as sent. Raises ValidationError: the table can't store it."""
    check_key(item)
    return item_to_dynamo(plain_item(item))


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _port_error(error: ClientError, table: str, pk: str, sk: str) -> Exception:
    response: Mapping[str, Any] = error.response
    code = response["Error"]["Code"]
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(table, pk, sk, _found(response))
    if code == CANCELLED:
        return _cancelled(error, response.get("CancellationReasons", []))
    if code in CONFLICTS:
        return TransientConflict(f"{code} on {table} {pk} {sk}")
    if passes(code, http_status_of(response)):
        return TransientThrottle(f"{code} on {table}")
    if code == "ValidationException":
        return _outgrown(response["Error"].get("Message", "")) or error
    return error


def _outgrown(message: str) -> ValidationError | None:
    """The error for an item that the table doesn't accept; None: the request is invalid for another reason."""
    for beginning, allowed in OUTGROWN.items():
        if beginning in message:
            return ValidationError("item", message, allowed)
    return None


def _cancelled(error: ClientError, reasons: Sequence[Mapping[str, Any]]) -> Exception:
    codes = [reason.get("Code", "None") for reason in reasons]
    if CONDITION in codes:
        return TransactionFailed({i: _found(reasons[i]) for i, code in enumerate(codes) if code == CONDITION})
    for reason in reasons:
        outgrown = _outgrown(reason.get("Message", "")) if reason.get("Code") == "ValidationError" else None
        if outgrown is not None:
            return outgrown
    if any(code in CONFLICTS for code in codes):
        return TransientConflict("another transaction works on one of the items")
    if any(map(passes, codes)):
        return TransientThrottle("a transaction was throttled")
    return error


def _found(holder: Mapping[str, Any]) -> Item | None:
    item = holder.get("Item")
    return item_from_dynamo(item) if item else None
