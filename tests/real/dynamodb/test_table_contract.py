"""The contract of the table port, with a DynamoDB that others wrote."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import boto3
import pytest

from handlers.store.dynamodb import DynamoTableStore
from handlers.store.port import TableStore
from tests.unit.handlers.store import test_table_store_contract as contract

pytestmark = pytest.mark.real


class TestTheContract(contract.TestTableStore):
    """Each of its tests, with tables of its own."""

    @pytest.fixture
    def store(self, dynamodb_url: str) -> Iterator[TableStore]:
        client = boto3.client(
            "dynamodb",
            endpoint_url=dynamodb_url,
            region_name="us-east-1",
            aws_access_key_id="nobody",
            aws_secret_access_key="checks it",
        )
        tables = {name: f"{name}-{uuid.uuid4().hex[:8]}" for name in ("commands", "data")}
        for table in tables.values():
            client.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            )
        yield DynamoTableStore(client, tables)
        for table in tables.values():
            client.delete_table(TableName=table)
