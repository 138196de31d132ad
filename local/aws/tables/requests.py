"""Answers DynamoDB requests: validates them, and executes them here if supported, else by moto's handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from local.aws.clock import now
from local.aws.model import AwsRequest, AwsResponse
from local.aws.tables.batches import batch_write, short_batch_get
from local.aws.tables.dynamodb import LocalDynamoDB
from local.aws.tables.images import plain
from local.aws.tables.key_checks import check_read_keys
from local.aws.tables.reading import project, short_get, short_query
from local.aws.tables.request_limits import checked
from local.aws.tables.transactions import transact_get, transact_write
from local.aws.tables.writes import answer, can_answer

JSON_HEADERS = {"content-type": "application/x-amz-json-1.0"}
#: Supported operation to the method of moto's handler.
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
Tables = Callable[[str], Table]
Short = Callable[[Tables, Mapping[str, Any]], dict[str, Any] | None]


def _of_table(read: Callable[[Table, Mapping[str, Any]], dict[str, Any] | None]) -> Short:
    return lambda get_table, request: read(get_table(request["TableName"]), request)


#: Operations whose common requests are answered without moto.
SHORT: dict[str, Short] = {
    "BatchGetItem": short_batch_get,
    "GetItem": _of_table(short_get),
    "Query": _of_table(short_query),
}


def handle(request: AwsRequest, backend: LocalDynamoDB) -> AwsResponse:
    """Answer one request, without moto's general parsing, which takes most of a call and isn't needed for JSON."""
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
        if request.operation in SHORT:
            short = SHORT[request.operation](backend.get_table, handler.body)
            if short is not None:
                return _answer(200, short)
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
