from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from local.aws.endpoint import AwsEndpoint


@pytest.fixture
def endpoint() -> Iterator[AwsEndpoint]:
    with AwsEndpoint() as running:
        yield running


@pytest.fixture
def dynamodb(endpoint: AwsEndpoint) -> Any:
    return boto3.client("dynamodb")


@pytest.fixture
def table(dynamodb: Any) -> str:
    return create_table(dynamodb, "orders")


def create_table(dynamodb: Any, name: str, *, range_key: bool = True) -> str:
    keys = ["pk", "sk"] if range_key else ["pk"]
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    return name
