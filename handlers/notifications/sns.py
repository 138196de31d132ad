"""The topic port on SNS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError, HTTPClientError

from handlers.errors import TransientError, TransientThrottle

if TYPE_CHECKING:
    from mypy_boto3_sns.client import SNSClient

#: API reference, Publish: errors that pass.
PASSING = frozenset({"Throttling", "ThrottledException", "InternalError", "InternalErrorException"})


class SnsTopic:
    """See ``Topic``."""

    def __init__(self, client: SNSClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, message: Mapping[str, Any], attributes: Mapping[str, str]) -> None:
        """See Topic."""
        try:
            self._client.publish(
                TopicArn=self._arn,
                Message=json.dumps(message, ensure_ascii=False),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in PASSING:
                raise TransientThrottle(f"{code} on {self._arn}") from error
            raise
        except HTTPClientError as error:
            raise TransientError(f"SNS could not be reached: {type(error).__name__}") from error
