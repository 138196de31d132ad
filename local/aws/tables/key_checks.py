"""Checks of keys in requests: complete, of the schema's types, not empty, not too long (Developer Guide,
"Constraints").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import validate_put_has_empty_keys

from local.aws.expressions.keys import wrong_for_schema
from local.aws.expressions.requests import examined
from local.aws.tables.items import has_usual_key, key_of

Values = Mapping[str, Any]
_EMPTY_BY_UPDATE = "The update expression attempted to update a secondary index key to a value that"
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty "
    "string value. Key: {}"
)


def check_key(table: Table, key: Values) -> None:
    """Check the key of an item: complete, not empty, not too long. Raises JsonRESTError."""
    if len(key) == len(table.table_key_attrs) and has_usual_key(table, key):
        return
    key_of(table, key)
    validate_put_has_empty_keys(dict(key), table, custom_error_msg=EMPTY_KEY)
    table._validate_key_sizes(dict(key))


def check_read_keys(get_table: Callable[[str], Table], operation: str, request: Values) -> None:
    """Check the keys of reads: complete, of the schema's types, not empty, not too long; or a query's key condition."""
    if operation == "Query":
        _check_query(get_table(request["TableName"]), request)
        return
    if operation == "GetItem":
        check_key(get_table(request["TableName"]), request["Key"])
        return
    for name, wanted in request["RequestItems"].items():
        for key in wanted["Keys"]:
            check_key(get_table(name), key)


def _check_query(table: Table, request: Values) -> None:
    index_name, expression = request.get("IndexName"), request.get("KeyConditionExpression")
    if index_name is not None and index_name not in {index.name for index in table.all_indexes()}:
        raise MockValidationException(f"The table does not have the specified index: {index_name}")
    if expression is None:
        return
    schema = table.schema if index_name is None else table.get_index(index_name).schema
    keys = [one["AttributeName"] for one in sorted(schema, key=lambda one: one["KeyType"] != "HASH")]
    given = request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues")
    found = examined("KeyConditionExpression", expression, *given)
    wrong = wrong_for_schema(found.tests, keys, {one["AttributeName"]: one["AttributeType"] for one in table.attr})
    if wrong:
        raise MockValidationException(wrong)
    text = request.get("FilterExpression")
    filtered = examined("FilterExpression", text, *given).attributes if text is not None else ()
    for key in keys:
        if key in filtered:
            raise MockValidationException(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {key}"
            )


def check_condition_types(table: Table, hash_value: Values, range_values: Sequence[Values]) -> None:
    """Check that a key condition compares with values of the keys' types, and with a non-empty hash key."""
    for kind, values in ((table.hash_key_type, [hash_value]), (table.range_key_type, range_values)):
        if any(kind not in value for value in values):
            raise MockValidationException(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
    if not hash_value[table.hash_key_type]:
        raise MockValidationException(EMPTY_KEY.format(table.hash_key_attr))


def check_index_keys(table: Table, attributes: Mapping[str, Any], *, is_update: bool = False) -> None:
    """Check the index keys in an item in DynamoDB's JSON, if present (Developer Guide, "Global secondary indexes").

    moto checks only some types in some operations, names a wrong index, and accepts some updates to an empty value. The
    messages are those of real tables (github.com/architect/dynalite/issues/184, github.com/getmoto/moto/pull/4245).

    Raises:
        MockValidationException: an attribute has another type than its index, or an empty value.
    """
    indexes = table.all_indexes()
    if not indexes:
        return
    types = {one["AttributeName"]: one["AttributeType"] for one in table.attr}
    for index in indexes:
        for key in index.schema:
            name = key["AttributeName"]
            value = attributes.get(name)
            if value is not None and types[name] not in value:
                raise MockValidationException(
                    f"One or more parameter values were invalid: Type mismatch for Index Key {name} "
                    f"Expected: {types[name]} Actual: {next(iter(value))} IndexName: {index.name}"
                )
            if value is not None and not value[types[name]]:
                raise MockValidationException(
                    "One or more parameter values are not valid. "
                    + (_EMPTY_BY_UPDATE if is_update else "A value specified for a secondary index key")
                    + " is not supported. The AttributeValue for a key attribute cannot contain an empty string value."
                    + ("" if is_update else f" IndexName: {index.name}, IndexKey: {name}")
                )
