"""Cached AWS clients.

``botocore`` only, without ``boto3``: the same clients, about 80 ms less cold start (docs, figures).
The first client pays for loaders and endpoint rules; later ones are cheap, so they are created at
first use.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import botocore.session
from botocore.config import Config
from botocore.exceptions import ConnectionError as BotocoreConnectionError
from botocore.exceptions import HTTPClientError, IncompleteReadError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.client import CloudWatchClient
    from mypy_boto3_dynamodb.client import DynamoDBClient
    from mypy_boto3_events.client import EventBridgeClient
    from mypy_boto3_lambda.client import LambdaClient
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_secretsmanager.client import SecretsManagerClient
    from mypy_boto3_sns.client import SNSClient
    from mypy_boto3_sqs.client import SQSClient
    from mypy_boto3_ssm.client import SSMClient
    from mypy_boto3_stepfunctions.client import SFNClient

#: The service could not be reached or did not respond. Two families: read timeouts and closed connections are
#: HTTPClientError; connect timeouts, refused connections and TLS errors are botocore's ConnectionError. An object's
#: body may also end early.
UNREACHABLE = (HTTPClientError, BotocoreConnectionError, IncompleteReadError)

#: Far below the functions' own timeouts, so that a stuck connection is retried within one invocation.
CLIENT_CONFIG = Config(
    connect_timeout=3,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=10,
)


#: For calls of other projects' functions: they may take long, and botocore must not retry a slow one, since the state
#: machine does. Below the states function's own timeout (infra/stack.py, 30 s).
LAMBDA_CALL_CONFIG = Config(connect_timeout=3, read_timeout=25, retries={"mode": "standard", "total_max_attempts": 1})

#: For calls whose refusal must be certain: a retried call may be refused although its first try was accepted.
ONCE_CONFIG = Config(
    connect_timeout=3,
    read_timeout=8,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=10,
)


#: For presigned URLs: they use the region's own host, which needs no redirect.
LINK_CONFIG = CLIENT_CONFIG.merge(Config(signature_version="s3v4", s3={"addressing_style": "virtual"}))


#: Clients are thread-safe, but creating one by a session isn't (boto3 documentation, "Multithreading or
#: multiprocessing with clients"): targets of commands are called in threads, and create their clients late.
_making = threading.Lock()


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def _client(service: str, region: str | None = None, config: Config = CLIENT_CONFIG) -> Any:
    with _making:
        return _session().create_client(service, region_name=region, config=config)


def dynamodb() -> DynamoDBClient:
    """The DynamoDB client."""
    return cast("DynamoDBClient", _client("dynamodb"))


def stepfunctions() -> SFNClient:
    """The Step Functions client."""
    return cast("SFNClient", _client("stepfunctions"))


def stepfunctions_once() -> SFNClient:
    """A Step Functions client that doesn't repeat its calls."""
    return cast("SFNClient", _client("stepfunctions", config=ONCE_CONFIG))


def s3() -> S3Client:
    """The S3 client."""
    return cast("S3Client", _client("s3"))


def s3_links() -> S3Client:
    """The S3 client for presigned links. Only Signature Version 4 works for objects that are encrypted with a KMS key,
    and in every region (S3 User Guide, "Authenticating requests").
    """
    return cast("S3Client", _client("s3", config=LINK_CONFIG))


def cloudwatch() -> CloudWatchClient:
    """The CloudWatch client."""
    return cast("CloudWatchClient", _client("cloudwatch"))


def secrets_manager() -> SecretsManagerClient:
    """The Secrets Manager client."""
    return cast("SecretsManagerClient", _client("secretsmanager"))


def ssm() -> SSMClient:
    """The Systems Manager client, for parameters."""
    return cast("SSMClient", _client("ssm"))


def sns(region: str | None = None) -> SNSClient:
    """The SNS client of a region, by default the function's own."""
    return cast("SNSClient", _client("sns", region))


def sqs(region: str | None = None) -> SQSClient:
    """The SQS client of a region, by default the function's own."""
    return cast("SQSClient", _client("sqs", region))


def events(region: str | None = None) -> EventBridgeClient:
    """The EventBridge client of a region, by default the function's own."""
    return cast("EventBridgeClient", _client("events", region))


def lambda_calls(region: str) -> LambdaClient:
    """The Lambda client of a region, for synchronous invocations."""
    return cast("LambdaClient", _client("lambda", region, LAMBDA_CALL_CONFIG))
