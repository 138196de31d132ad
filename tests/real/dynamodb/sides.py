"""The two that answer: the embedded endpoint and a server, with the same tables, and their answers in one form."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.aws.elsewhere.server import STREAMS, TABLES, DynamoServer
from local.aws.endpoint import AwsEndpoint
from local.aws.model import AwsRequest, AwsResponse
from local.aws.tables.streams import read_new_records
from tests.real.dynamodb.requests import INDEX, MAIN, OTHER, Request

REGION = "us-east-1"
_SETS = frozenset({"SS", "NS", "BS"})
_KEYS = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]


@dataclass(frozen=True)
class Answer:
    """``code``: the error's name, or OK. ``content``: what is compared besides; ``message``: what an error says."""

    code: str
    content: Any = None
    message: str = field(default="", compare=False)


class Side:
    """One that answers. ``send``: an operation and its JSON to an HTTP answer."""

    def __init__(self, send: Callable[[str, bytes], AwsResponse], records: Callable[[str], list[Any]]) -> None:
        self._send = send
        self._records = records

    def answer(self, operation: str, request: Mapping[str, Any]) -> Answer:
        """See Answer."""
        response = self._send(operation, json.dumps(request).encode())
        content = json.loads(response.body)
        if response.status == 200:
            return Answer("OK", _answer(operation, request, content))
        code = str(content.get("__type", response.status)).rpartition("#")[2]
        message = str(content.get("message") or content.get("Message") or "")
        reasons = [
            (reason.get("Code", "None"), _plain(reason.get("Item")))
            for reason in content.get("CancellationReasons", [])
        ]
        told = "; ".join(str(reason.get("Message")) for reason in content.get("CancellationReasons", []))
        return Answer(code, (reasons, _plain(content.get("Item"))), f"{message} {told}".strip())

    def create(self, prefix: str) -> None:
        """The tables of one example."""
        for name, view in ((MAIN, "NEW_AND_OLD_IMAGES"), (OTHER, "KEYS_ONLY")):
            more: dict[str, Any] = {}
            attributes = [("pk", "S"), ("sk", "S")]
            if name == MAIN:
                attributes += [("openShard", "N"), ("dueAt", "N")]
                schema = [
                    {"AttributeName": "openShard", "KeyType": "HASH"},
                    {"AttributeName": "dueAt", "KeyType": "RANGE"},
                ]
                projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status", "a"]}
                more["GlobalSecondaryIndexes"] = [{"IndexName": INDEX, "KeySchema": schema, "Projection": projection}]
            request = {
                "TableName": f"{prefix}-{name}",
                "KeySchema": _KEYS,
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key, kind in attributes],
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": view},
                **more,
            }
            response = self._send("CreateTable", json.dumps(request).encode())
            assert response.status == 200, response.body

    def drop(self, prefix: str) -> None:
        """Away with them."""
        for name in (MAIN, OTHER):
            response = self._send("DeleteTable", json.dumps({"TableName": f"{prefix}-{name}"}).encode())
            assert response.status == 200, response.body

    def records(self, table: str) -> list[Any]:
        """What the stream has, without what differs by nature.

        A write that changes nothing gives a record on the other side, sometimes: left out where the images show it, and
        where there are none with all changes of items that stay.
        """
        kept = ("Keys", "NewImage", "OldImage", "StreamViewType")
        found = []
        for one in self._records(table):
            changes = {name: _plain(one["dynamodb"].get(name)) for name in kept}
            if one["eventName"] != "MODIFY" or changes["NewImage"] != changes["OldImage"]:
                found.append((one["eventName"], changes))
        return found


def embedded(endpoint: AwsEndpoint) -> Side:
    """Ours. What it raises, rather than answers, is an InternalServerError, as it would be over HTTP."""

    def send(operation: str, body: bytes) -> AwsResponse:
        request = AwsRequest("dynamodb", operation, REGION, json.loads(body), body=body)
        try:
            return endpoint.handle(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, the other side's answer is compared with it
            text = json.dumps({"__type": "InternalServerError", "message": f"{type(error).__name__}: {error}"})
            return AwsResponse(500, {}, text.encode())

    return Side(send, lambda table: read_new_records(endpoint, table, 0)[0])


def served(server: DynamoServer) -> Side:
    """The other."""

    def records(table: str) -> list[Any]:
        stream = server.call("DescribeTable", {"TableName": table})["Table"]["LatestStreamArn"]
        described = server.call("DescribeStream", {"StreamArn": stream}, STREAMS)["StreamDescription"]
        (shard,) = described["Shards"]
        iterator = server.call(
            "GetShardIterator",
            {"StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"},
            STREAMS,
        )["ShardIterator"]
        found: list[Any] = []
        while iterator:
            answer = server.call("GetRecords", {"ShardIterator": iterator}, STREAMS)
            if not answer["Records"]:
                break
            found += answer["Records"]
            iterator = answer.get("NextShardIterator")
        return found

    return Side(lambda operation, body: server.send(operation, body, TABLES), records)


def placed(request: Request, prefix: str) -> Request:
    """A request with the names that its tables have in this example."""
    operation, given = request
    return operation, _placed(given, prefix)


def _placed(part: Any, prefix: str) -> Any:
    if isinstance(part, dict):
        return {
            f"{prefix}-{name}" if name in (MAIN, OTHER) else name: (
                f"{prefix}-{inner}"
                if name == "TableName" or (name == "ClientRequestToken" and inner == "token")
                else _placed(inner, prefix)
            )
            for name, inner in part.items()
        }
    return [_placed(one, prefix) for one in part] if isinstance(part, list) else part


def _answer(operation: str, request: Mapping[str, Any], content: Any) -> Any:
    """An answer without capacities, in an order of its own where DynamoDB has none."""
    found = {
        name: _plain(part) for name, part in content.items() if name not in ("ConsumedCapacity", "UnprocessedKeys")
    }
    if operation == "Scan" or "IndexName" in request:
        found["Items"] = sorted(found.get("Items", []), key=repr)
    if operation == "Scan" and ("Limit" in request):  # which ones is up to the hash of the keys
        return sorted(found)
    if operation == "BatchGetItem":
        found["Responses"] = {table: sorted(items, key=repr) for table, items in found["Responses"].items() if items}
    return {name: part for name, part in found.items() if part not in ({}, None)}


def _plain(part: Any) -> Any:
    """Sets in one order, and names likewise."""
    if isinstance(part, dict):
        if len(part) == 1:
            ((kind, members),) = part.items()
            if kind in _SETS and isinstance(members, list):
                return {kind: sorted(members)}
        return {name: _plain(part[name]) for name in sorted(part)}
    return [_plain(one) for one in part] if isinstance(part, list) else part


def shape(message: str) -> str:
    """A message without its particulars, to count by."""
    text = re.sub(r"\[[^\]]*\]|\{[^}]*\}|'[^']*'|\"[^\"]*\"", "…", message)
    return re.sub(r"\d+", "0", text)[:200]
