"""DynamoDB of the local endpoint: moto's tables and expressions, our writes, queries and transactions.

Why not moto alone (all measured or read in moto 5.2.5): an update of an absent item writes two INSERT stream
records; a query walks through the whole table; a scan that needs a second page skips items; a transaction copies
every table it touches, and its other parts aren't atomic between threads.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from local.aws.clock import now
from local.aws.model import AwsRequest, AwsResponse
from local.aws.tables.batches import batch_write
from local.aws.tables.images import plain
from local.aws.tables.items import Condition, apply, plan_delete, plan_put, plan_update
from local.aws.tables.key_checks import check_condition_types, check_read_keys
from local.aws.tables.key_order import entry_value, keys_in_order
from local.aws.tables.reading import bounds, items_in_order, page, project, select
from local.aws.tables.request_limits import checked
from local.aws.tables.streams import LocalShard
from local.aws.tables.transactions import TokenStore, transact_get, transact_write
from local.aws.tables.writes import answer, can_answer
from local.partitions import partition_of

#: The id of the key behind the alias ``aws/dynamodb``.
AWS_MANAGED_KEY = "a9e1c0de-0000-4000-8000-000000000000"
JSON_HEADERS = {"content-type": "application/x-amz-json-1.0"}
#: What the endpoint answers; method of moto's handler by operation.
OPERATIONS = {
    "BatchGetItem": "batch_get_item",
    "BatchWriteItem": "batch_write_item",
    "CreateTable": "create_table",
    "DeleteItem": "delete_item",
    "DeleteResourcePolicy": "delete_resource_policy",
    "DeleteTable": "delete_table",
    "DescribeContinuousBackups": "describe_continuous_backups",
    "DescribeEndpoints": "describe_endpoints",
    "DescribeLimits": "describe_limits",
    "DescribeTable": "describe_table",
    "DescribeTimeToLive": "describe_time_to_live",
    "GetItem": "get_item",
    "GetResourcePolicy": "get_resource_policy",
    "ListTables": "list_tables",
    "ListTagsOfResource": "list_tags_of_resource",
    "PutItem": "put_item",
    "PutResourcePolicy": "put_resource_policy",
    "Query": "query",
    "Scan": "scan",
    "TagResource": "tag_resource",
    "TransactGetItems": "transact_get_items",
    "TransactWriteItems": "transact_write_items",
    "UntagResource": "untag_resource",
    "UpdateContinuousBackups": "update_continuous_backups",
    "UpdateItem": "update_item",
    "UpdateTable": "update_table",
    "UpdateTimeToLive": "update_time_to_live",
}


class LocalDynamoDB(DynamoDBBackend):  # type: ignore[misc]  # moto has no types that mypy can follow
    """The tables of one region."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tokens = TokenStore()

    def create_table(self, name: str, *args: Any, **kwargs: Any) -> Table:
        """moto's table with our stream. The key of AWS is named here: moto would generate one, of RSA, to name it."""
        encryption = kwargs.get("sse_specification")
        if encryption:
            partition = partition_of(self.region_name)
            key = f"arn:{partition}:kms:{self.region_name}:{self.account_id}:key/{AWS_MANAGED_KEY}"
            kwargs["sse_specification"] = {"KMSMasterKeyId": key, **encryption}
        table = super().create_table(name, *args, **kwargs)
        _replace_shard(table)
        return table

    def update_table_streams(self, table: Table, stream_specification: dict[str, Any]) -> None:
        """Switch a table's stream on or off."""
        super().update_table_streams(table, stream_specification)
        if not table.stream_specification["StreamEnabled"]:
            table.stream_shard = table.latest_stream_label = None  # moto goes on writing to it
        _replace_shard(table)

    def put_item(
        self,
        table_name: str,
        item_attrs: dict[str, Any],
        expected: dict[str, Any] | None = None,
        condition_expression: str | None = None,
        expression_attribute_names: dict[str, Any] | None = None,
        expression_attribute_values: dict[str, Any] | None = None,
        overwrite: bool = False,
        return_values_on_condition_check_failure: str | None = None,
    ) -> Item:
        """PutItem; the item that was written."""
        condition = Condition(
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure == "ALL_OLD",
            None if overwrite else expected,
        )
        change = plan_put(self.get_table(table_name), item_attrs, condition)
        apply(change)
        return change.new

    def update_item(
        self,
        table_name: str,
        key: dict[str, dict[str, Any]],
        update_expression: str,
        expression_attribute_names: dict[str, Any],
        expression_attribute_values: dict[str, Any],
        attribute_updates: dict[str, Any] | None = None,
        expected: dict[str, Any] | None = None,
        condition_expression: str | None = None,
        return_values_on_condition_check_failure: str | None = None,
    ) -> Item:
        """UpdateItem; the item as it is now."""
        condition = Condition(
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure == "ALL_OLD",
            expected,
        )
        change = plan_update(self.get_table(table_name), key, update_expression, condition, attribute_updates)
        apply(change)
        return change.new

    def delete_item(
        self,
        table_name: str,
        key: dict[str, Any],
        expression_attribute_names: dict[str, Any] | None = None,
        expression_attribute_values: dict[str, Any] | None = None,
        condition_expression: str | None = None,
        return_values_on_condition_check_failure: str | None = None,
    ) -> Item | None:
        """DeleteItem; the item that was there."""
        condition = Condition(
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure == "ALL_OLD",
        )
        change = plan_delete(self.get_table(table_name), key, condition)
        apply(change)
        return change.old

    def transact_write_items(self, transact_items: list[dict[str, Any]]) -> None:
        """All or nothing; see ``transactions``."""
        transact_write(self.get_table, transact_items)

    def query(
        self,
        table_name: str,
        hash_key_dict: dict[str, Any] | None,
        range_comparison: str | None,
        range_value_dicts: list[dict[str, Any]],
        limit: int | None,
        exclusive_start_key: dict[str, Any] | None,
        scan_index_forward: bool,
        projection_expressions: list[list[str]] | None,
        index_name: str | None = None,
        consistent_read: bool = False,
        expr_names: dict[str, str] | None = None,
        expr_values: dict[str, dict[str, str]] | None = None,
        filter_expression: str | None = None,
        **others: Any,
    ) -> tuple[list[Item], int, dict[str, Any] | None]:
        """A query of the table itself goes straight to its rows; one of an index is left to moto."""
        table = self.get_table(table_name)
        legacy = others.keys() - {"hash_key_conditions", "range_key_conditions"}
        if index_name or not table.range_key_attr or hash_key_dict is None or legacy:
            return super().query(  # type: ignore[no-any-return]
                table_name,
                hash_key_dict,
                range_comparison,
                range_value_dicts,
                limit,
                exclusive_start_key,
                scan_index_forward,
                projection_expressions,
                index_name,
                consistent_read,
                expr_names,
                expr_values,
                filter_expression,
                **others,
            )
        check_condition_types(table, hash_key_dict, range_value_dicts)
        hash_key = DynamoType(hash_key_dict)
        keys = keys_in_order(table, hash_key)
        first, last = bounds(keys, range_comparison, [DynamoType(value) for value in range_value_dicts])
        if exclusive_start_key:
            start = DynamoType(exclusive_start_key[table.range_key_attr]).cast_value
            if scan_index_forward:
                first = max(first, bisect_right(keys, start, key=entry_value))
            else:
                last = min(last, bisect_left(keys, start, key=entry_value))
        rows = table.items[hash_key] if keys else {}
        order = range(first, last) if scan_index_forward else range(last - 1, first - 1, -1)
        found, next_key = page(table, (rows[keys[index][1]] for index in order), limit)
        return select(found, filter_expression, expr_names, expr_values, projection_expressions), len(found), next_key

    def scan(
        self,
        table_name: str,
        filters: dict[str, Any],
        limit: int | None,
        exclusive_start_key: dict[str, Any] | None,
        filter_expression: str | None,
        expr_names: dict[str, Any],
        expr_values: dict[str, Any],
        index_name: str | None,
        consistent_read: bool,
        projection_expression: list[list[str]] | None,
        segments: Any,
    ) -> tuple[list[Item], int, dict[str, Any] | None]:
        """A scan of the table itself, in key order so that pages neither skip nor repeat; others are moto's."""
        table = self.get_table(table_name)
        if index_name or filters:
            return super().scan(  # type: ignore[no-any-return]
                table_name,
                filters,
                limit,
                exclusive_start_key,
                filter_expression,
                expr_names,
                expr_values,
                index_name,
                consistent_read,
                projection_expression,
                segments,
            )
        items = items_in_order(table, exclusive_start_key)
        found, next_key = page(table, (item for item in items if item.is_within_segment(segments)), limit)
        return (
            select(found, filter_expression, expr_names, expr_values, projection_expression),
            len(found),
            next_key,
        )


def handle(request: AwsRequest, backend: LocalDynamoDB) -> AwsResponse:
    """Answer one request. The JSON protocol needs none of moto's general parsing, which costs most of a call."""
    method = OPERATIONS.get(request.operation)
    if method is None:
        message = f"DynamoDB {request.operation} is not supported by the local endpoint"
        return _answer(400, {"__type": ERROR_TYPE_PREFIX + "UnknownOperationException", "message": message})
    handler = DynamoHandler()
    handler.body = handler.params = dict(request.params)
    handler.uri_match, handler.headers, handler.region = {}, request.headers, backend.region_name
    handler.current_account = backend.account_id
    try:
        handler.body = handler.params = checked(request.operation, handler.body)
        if can_answer(request.operation, handler.body):
            table = backend.get_table(handler.body["TableName"])
            return _answer(200, answer(request.operation, table, handler.body))
        if request.operation == "BatchWriteItem":
            return _answer(200, batch_write(backend.get_table, handler.body["RequestItems"]))
        if request.operation in ("GetItem", "BatchGetItem", "Query"):
            check_read_keys(backend.get_table, request.operation, handler.body)
        if request.operation == "TransactGetItems":
            return _answer(200, {"Responses": transact_get(backend.get_table, handler.body["TransactItems"], project)})
        if request.operation != "TransactWriteItems":
            return _answer(200, plain(getattr(handler, method)().result))
        token = handler.body.get("ClientRequestToken")
        if not backend.tokens.is_replay(token, handler.body, now()):
            transact_write(backend.get_table, handler.body["TransactItems"])
            backend.tokens.remember(token, handler.body, now())
        return _answer(200, {})
    except JsonRESTError as error:
        return AwsResponse(int(error.code), JSON_HEADERS, error.description.encode())


def _answer(status: int, result: Any) -> AwsResponse:
    return AwsResponse(status, JSON_HEADERS, value=result)


def _replace_shard(table: Table) -> None:
    if table.stream_shard is not None and not isinstance(table.stream_shard, LocalShard):
        table.stream_shard = LocalShard(table)
