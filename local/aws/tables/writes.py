"""PutItem, UpdateItem and DeleteItem with the API's results.

moto's own handler parses every expression twice and copies the item, which is half of the time of a write. Requests
with legacy parameters (``Expected``, ``AttributeUpdates``) are left to it.
"""

from __future__ import annotations

from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import validate_put_has_empty_keys

from local.aws.expressions.projecting import projected
from local.aws.expressions.requests import examined
from local.aws.tables.images import image
from local.aws.tables.items import Change, Condition, Values, apply, has_usual_key, plan_delete, plan_put, plan_update
from local.aws.tables.key_checks import EMPTY_KEY, check_index_keys, check_key

RETURN_VALUES = ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW")


def can_answer(operation: str, request: Values) -> bool:
    """Whether ``answer`` supports this request."""
    return operation in ("PutItem", "UpdateItem", "DeleteItem") and not (
        "Expected" in request or "AttributeUpdates" in request
    )


def answer(operation: str, table: Table, request: Values) -> dict[str, Any]:
    """Do the write, and return the API's result.

    Raises:
        JsonRESTError: the request is invalid or its condition doesn't hold.
    """
    wanted = request.get("ReturnValues", "NONE")
    allowed = RETURN_VALUES if operation == "UpdateItem" else RETURN_VALUES[:2]
    if wanted not in allowed:
        raise MockValidationException(f"ReturnValues {wanted!r} is not one of {', '.join(allowed)}")
    change = plan(operation.removesuffix("Item"), table, request)
    apply(change)
    result: dict[str, Any] = {}
    item = change.old if wanted.endswith("_OLD") else change.new
    if wanted != "NONE" and item is not None:
        attributes = image(item) if wanted.startswith("ALL_") else _updated(image(item), request)
        if attributes:
            result["Attributes"] = attributes
    if request.get("ReturnConsumedCapacity", "NONE") != "NONE":
        result["ConsumedCapacity"] = {"TableName": table.name, "CapacityUnits": 1.0}
    return result


def _updated(attributes: Values, request: Values) -> dict[str, Any]:
    expression = request.get("UpdateExpression")
    if expression is None:
        return {}
    given = request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues")
    return projected(attributes, examined("UpdateExpression", expression, *given).paths)


def plan(kind: str, table: Table, request: Values) -> Change:
    """Plan a Put, Update or Delete, alone or as a part of a transaction."""
    condition = condition_of(request)
    if kind == "Put":
        attributes = dict(request["Item"])
        check_index_keys(table, attributes)
        if not has_usual_key(table, attributes):
            validate_put_has_empty_keys(attributes, table, custom_error_msg=EMPTY_KEY)
        return plan_put(table, attributes, condition)
    key = dict(request["Key"])
    check_key(table, key)
    if kind == "Delete":
        return plan_delete(table, key, condition)
    change = plan_update(table, key, request.get("UpdateExpression"), condition)
    if change.new is not None:
        check_index_keys(table, image(change.new), is_update=True)
    return change


def condition_of(request: Values) -> Condition:
    """The request's condition."""
    return Condition(
        request.get("ConditionExpression"),
        request.get("ExpressionAttributeNames"),
        request.get("ExpressionAttributeValues"),
        request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD",
    )
