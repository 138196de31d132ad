"""A table's stream on another server, read with the streams API: DescribeStream, GetShardIterator, GetRecords.

API reference, "Amazon DynamoDB Streams": a shard's records are in the order of the writes, a shard's children come
after it, an iterator that is at the end of an open shard gives no records and the next iterator.
"""

from __future__ import annotations

from typing import Any

from moto.dynamodb.models.table import Table

from local.aws.clock import now
from local.aws.elsewhere.server import STREAMS, DynamoServer
from local.aws.tables.streams import LocalShard, arn_of_stream


class ElsewhereShard(LocalShard):
    """The records of all shards of a stream in one order, fetched on demand."""

    def __init__(self, table: Table, server: DynamoServer, stream_arn: str) -> None:
        super().__init__(table)
        self._server = server
        self._stream_arn = stream_arn
        #: shard to its next iterator; None: the shard is read to its end
        self._iterators: dict[str, str | None] = {}

    def fetch(self) -> None:
        """See LocalShard."""
        for shard in self._shards():
            if shard not in self._iterators:
                self._iterators[shard] = self._iterator(shard)
            iterator = self._iterators[shard]
            while iterator is not None:
                answer = self._server.call("GetRecords", {"ShardIterator": iterator}, STREAMS)
                self._iterators[shard] = iterator = answer.get("NextShardIterator")
                for record in answer["Records"]:
                    self.append(self._record(record))
                if not answer["Records"]:
                    break

    def _shards(self) -> list[str]:
        """Parents before their children."""
        found: list[dict[str, Any]] = []
        request: dict[str, Any] = {"StreamArn": self._stream_arn}
        while True:
            description = self._server.call("DescribeStream", request, STREAMS)["StreamDescription"]
            found += description["Shards"]
            last = description.get("LastEvaluatedShardId")
            if last is None:
                break
            request["ExclusiveStartShardId"] = last
        ordered: list[str] = []
        ids = {shard["ShardId"] for shard in found}
        while len(ordered) < len(found):
            ready = [
                shard["ShardId"]
                for shard in found
                if shard["ShardId"] not in ordered
                and (shard.get("ParentShardId") not in ids or shard.get("ParentShardId") in ordered)
            ]
            assert ready, f"shards that are each other's parents: {found}"
            ordered += ready
        return ordered

    def _iterator(self, shard: str) -> str:
        request = {"StreamArn": self._stream_arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        return str(self._server.call("GetShardIterator", request, STREAMS)["ShardIterator"])

    def _record(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record as Lambda delivers it, with the stream's ARN, region and time of this runtime."""
        changes = {**record["dynamodb"], "ApproximateCreationDateTime": int(now())}
        here = {"awsRegion": self.table.region_name, "eventSourceARN": arn_of_stream(self.table)}
        return {**record, "dynamodb": changes, **here}
