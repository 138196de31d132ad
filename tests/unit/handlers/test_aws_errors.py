"""Which answers of a service pass by themselves: each code of the services' references, and what it becomes."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from handlers.core.aws.errors import PASSING, reason_of, refusal
from handlers.core.errors import Nature, TransientThrottle, WrongStatus

#: API references: SNS "Common error types" and Publish (KMSThrottling, Throttled, InternalError), SQS SendMessage
#: (KmsThrottled, RequestThrottled), EventBridge PutEvents (ThrottlingException, InternalException, InternalFailure),
#: Lambda Invoke (TooManyRequestsException, those of SnapStart, ResourceConflictException), Step Functions
#: StartExecution (ExecutionLimitExceeded, KmsThrottlingException), S3 "Error responses" (RequestTimeout, SlowDown),
#: DynamoDB "Error handling" and TransactWriteItems (ProvisionedThroughputExceeded, RequestLimitExceeded,
#: ThrottlingError, InternalServerError), and the error codes that every service shares.
DOCUMENTED = {
    *("InternalError", "InternalErrorException", "InternalException", "InternalFailure", "ServiceUnavailable"),
    *("KMSThrottling", "KMSThrottlingException", "KmsThrottled", "KmsThrottlingException", "RequestThrottled"),
    *("Throttled", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequestsException"),
    *("ResourceConflictException", "SnapStartNotReadyException", "SnapStartTimeoutException"),
    *("ExecutionLimitExceeded", "InternalServerError", "RequestLimitExceeded", "RequestTimeout", "SlowDown"),
    *("ProvisionedThroughputExceeded", "ProvisionedThroughputExceededException", "ThrottlingError"),
}


def error(code: str, status: int) -> ClientError:
    response = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Publish")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", sorted(DOCUMENTED))
def test_each_documented_code_is_tried_again(code: str) -> None:
    assert type(reason_of(error(code, 400), "a topic", WrongStatus)) is TransientThrottle
    assert type(refusal("a topic", code, "m", WrongStatus)) is TransientThrottle


def test_no_other_code_is_in_the_list() -> None:
    assert PASSING == DOCUMENTED


@pytest.mark.parametrize(
    ("status", "passes"), [(400, False), (403, False), (408, True), (429, True), (499, False), (500, True), (503, True)]
)
def test_other_codes_pass_by_their_http_status(status: int, passes: bool) -> None:
    expected = TransientThrottle if passes else WrongStatus
    assert type(reason_of(error("Odd", status), "a topic", WrongStatus)) is expected


@pytest.mark.parametrize(
    ("code", "status", "nature"),
    [
        ("AuthorizationError", 403, Nature.MISCONFIGURED),
        ("AccessDenied", 400, Nature.MISCONFIGURED),
        ("Odd", 401, Nature.MISCONFIGURED),
        ("InvalidParameter", 400, Nature.PERMANENT),
    ],
)
def test_edge_24_a_missing_right_is_no_fault_of_the_message(code: str, status: int, nature: Nature) -> None:
    """It may come within the bounds of the message's deliveries."""
    assert refusal("a topic", code, "no", WrongStatus, status).nature is nature
    assert WrongStatus("another").nature is Nature.PERMANENT


def test_a_refusal_names_what_was_called_the_code_and_the_message() -> None:
    assert str(refusal("queue q", "AccessDenied", "no", WrongStatus)) == "AccessDenied from queue q: no"
