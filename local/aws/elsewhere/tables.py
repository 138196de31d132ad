"""DynamoDB of the local endpoint with items, indexes and streams on another server.

A table's other settings (tags, protection, backups, policies, time to live) stay with the endpoint, since development
servers support only some of them. So a table is created in both places, and its items are only on the other server.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from local.aws import services
from local.aws.elsewhere.server import DynamoServer, ServerRefused
from local.aws.elsewhere.streams import ElsewhereShard
from local.aws.endpoint import AwsEndpoint
from local.aws.model import AwsRequest, AwsResponse, EndpointError

ITEMS = (
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
)
#: Parameters of CreateTable that are passed to the other server.
_SHAPE = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
    "ProvisionedThroughput",
    "StreamSpecification",
    "TableName",
)
_FIXED = ("AttributeDefinitions", "GlobalSecondaryIndexUpdates", "StreamSpecification")


class TablesElsewhere:
    """Answers the endpoint's DynamoDB operations. Create it before the endpoint starts, and close it after it stopped.

    Raises:
        EndpointError: ``url`` isn't allowed, or no DynamoDB answers there.
    """

    def __init__(self, endpoint: AwsEndpoint, url: str) -> None:
        self._endpoint = endpoint
        self._server = DynamoServer(url, endpoint.region)
        self._made: list[str] = []
        self._server.call("ListTables", {})
        for operation in ITEMS:
            endpoint.replace("dynamodb", operation, self._locked(self._forward))
        endpoint.replace("dynamodb", "CreateTable", self._locked(self._create))
        endpoint.replace("dynamodb", "DeleteTable", self._locked(self._delete))
        endpoint.replace("dynamodb", "UpdateTable", self._locked(self._update))

    def close(self) -> None:
        """Delete the tables created on the server; if it has stopped, they are gone anyway."""
        try:
            for name in self._made:
                self._server.call("DeleteTable", {"TableName": name})
        except EndpointError:
            return
        finally:
            self._made.clear()
            self._server.close()

    def _locked(self, answer: Callable[[AwsRequest], AwsResponse]) -> Callable[[AwsRequest], AwsResponse]:
        def handler(request: AwsRequest) -> AwsResponse:
            with self._endpoint.lock:
                return answer(request)

        return handler

    def _forward(self, request: AwsRequest) -> AwsResponse:
        return self._server.send(request.operation, json.dumps(request.params).encode())

    def _here(self, request: AwsRequest) -> AwsResponse:
        return self._endpoint.call_moto(request)

    def _create(self, request: AwsRequest) -> AwsResponse:
        response = self._here(request)
        if response.status != 200:
            return response
        shape = {name: request.params[name] for name in _SHAPE if name in request.params}
        name = request.params["TableName"]
        try:
            described = self._server.call("CreateTable", shape)["TableDescription"]
        except ServerRefused as error:
            if error.code == "ResourceInUseException":
                raise EndpointError(
                    f"the DynamoDB at {self._server.url} has a table {name!r} already; restart it, or delete that table"
                ) from error
            raise
        self._made.append(name)
        table = services.backend("dynamodb", request.region).tables[name]
        if table.stream_shard is not None:
            table.stream_shard = ElsewhereShard(table, self._server, described["LatestStreamArn"])
        return response

    def _delete(self, request: AwsRequest) -> AwsResponse:
        response = self._here(request)
        if response.status == 200:
            name = request.params["TableName"].rpartition("/")[2]
            self._server.call("DeleteTable", {"TableName": name})
            self._made.remove(name)
        return response

    def _update(self, request: AwsRequest) -> AwsResponse:
        changed = [name for name in _FIXED if name in request.params]
        if changed:
            message = f"UpdateTable of {', '.join(changed)}: not while {self._server.url} keeps the tables"
            return services.error_response("dynamodb", "UnsupportedOperation", message, headers=request.headers)
        return self._here(request)
