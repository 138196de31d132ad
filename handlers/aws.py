"""Cached AWS clients.

``botocore`` alone, not ``boto3``: the same clients, about 80 ms less cold start (docs, figures).
The first client pays for loaders and endpoint rules; later ones are cheap, so they are made when
first asked for.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_stepfunctions.client import SFNClient

#: The service could not be reached or did not answer. Two families: read timeouts and closed connections are
#: HTTPClientError; connect timeouts, refused connections and TLS errors are botocore's ConnectionError.
UNREACHABLE = (HTTPClientError, BotocoreConnectionError)

#: Far below the functions' own timeouts, so that a stuck connection is retried within one invocation.
CLIENT_CONFIG = Config(
    connect_timeout=3,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=10,
)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def _client(service: str) -> Any:
    return _session().create_client(service, config=CLIENT_CONFIG)


def dynamodb() -> DynamoDBClient:
    """The DynamoDB client."""
    return cast("DynamoDBClient", _client("dynamodb"))


def stepfunctions() -> SFNClient:
    """The Step Functions client."""
    return cast("SFNClient", _client("stepfunctions"))


def sns() -> SNSClient:
    """The SNS client."""
    return cast("SNSClient", _client("sns"))
