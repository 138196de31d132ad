"""Which errors of AWS pass: one list for everything that sends messages and calls."""

from __future__ import annotations

from botocore.exceptions import ClientError

from handlers.aws import UNREACHABLE
from handlers.errors import CqrsError, TransientError, TransientThrottle

#: "Common errors" and the errors of Publish, PublishBatch, SendMessage, PutEvents and Invoke in the services' API
#: references. Codes that stand beside an HTTP status of 429 or of 500 and above pass as well.
PASSING = frozenset(
    {
        "InternalError",
        "InternalErrorException",
        "InternalException",
        "InternalFailure",
        "KMSThrottling",
        "KMSThrottlingException",
        "KmsThrottled",
        "RequestThrottled",
        "ServiceUnavailable",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
#: What a call may raise that ``reason_of`` understands.
CALL_ERRORS = (ClientError, *UNREACHABLE)


def reason_of(error: Exception, what: str, refused: type[CqrsError]) -> CqrsError:
    """The port's error for one of ``CALL_ERRORS``.

    ``what`` was called; ``refused`` is for what another try won't heal.
    """
    if not isinstance(error, ClientError):
        return TransientError(f"{what} could not be reached: {type(error).__name__}")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return refusal(what, error.response["Error"]["Code"], error.response["Error"].get("Message", ""), refused, status)


def refusal(what: str, code: str, message: str, refused: type[CqrsError], http_status: int = 400) -> CqrsError:
    """The port's error for a code that the service answered, for a call or for one entry of it."""
    if code in PASSING or http_status == 429 or http_status >= 500:
        return TransientThrottle(f"{code} from {what}")
    return refused(f"{code} from {what}: {message}")
