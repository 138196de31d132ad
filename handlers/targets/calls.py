"""What the calls of all target services have in common: which errors pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from handlers.aws import UNREACHABLE
from handlers.errors import TransientError, TransientThrottle
from handlers.targets.port import TargetRefused

#: "Common errors" and the errors of Invoke, SendMessage, Publish and PutEvents in the services' API references.
#: Codes that stand beside an HTTP status of 429 or 500 and above pass as well.
PASSING = frozenset(
    {
        "InternalException",
        "InternalFailure",
        "KMSThrottling",
        "KMSThrottlingException",
        "KmsThrottled",
        "RequestThrottled",
        "ServiceUnavailable",
        "Throttled",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


@contextmanager
def calling(arn: str) -> Iterator[None]:
    """Turn the errors of a call to the target into the port's."""
    try:
        yield
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response.get("ResponseMetadata", {})
        http_status = status.get("HTTPStatusCode", 400)
        raise refusal(arn, code, str(error.response["Error"].get("Message", "")), http_status) from error
    except UNREACHABLE as error:
        raise TransientError(f"{arn} could not be reached: {type(error).__name__}") from error


def refusal(arn: str, code: str, message: str, http_status: int = 400) -> TransientThrottle | TargetRefused:
    """The error for a code that a service answered."""
    if code in PASSING or http_status == 429 or http_status >= 500:
        return TransientThrottle(f"{code} from {arn}")
    return TargetRefused(f"{code} from {arn}: {message}")
