"""Classifies AWS errors as transient, fixed by changing the deployment, or permanent: one list for every adapter and
for calls by the application's own code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    MetadataRetrievalError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
)

from handlers.core.aws.clients import UNREACHABLE
from handlers.core.errors import CqrsError, Nature, TransientError, TransientThrottle

#: "Common errors" and the throttles and outages in the services' API references: DynamoDB, EventBridge, Lambda, S3,
#: SNS, SQS, Step Functions, KMS. Other codes with an HTTP status of 408, 429 or of 500 and above are transient, too.
PASSING = frozenset(
    {
        "ExecutionLimitExceeded",
        "InternalError",
        "InternalErrorException",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "KMSThrottling",
        "KMSThrottlingException",
        "KmsThrottled",
        "KmsThrottlingException",
        "ProvisionedThroughputExceeded",  # without "Exception" as the reason of a cancelled transaction
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ResourceConflictException",  # a function that is being updated
        "ServiceUnavailable",
        "SlowDown",
        "SnapStartNotReadyException",
        "SnapStartTimeoutException",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
#: A concurrent operation on the same item or object (DynamoDB Developer Guide, "Transaction conflict handling"; S3
#: API reference, "Error responses").
CONFLICTS = frozenset(
    {
        "ConditionalRequestConflict",
        "OperationAborted",
        "ReplicatedWriteConflictException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
#: A condition that did not hold: another writer was faster, so a retry reads and decides again.
CONDITIONS = frozenset({"ConditionalCheckFailed", "ConditionalCheckFailedException", "PreconditionFailed"})
CANCELLED = "TransactionCanceledException"
#: Missing permissions, credentials and resources, and misconfigured keys and queues (the same references), which aren't
#: caused by data. HTTP statuses 401 and 403 mean the same.
DEPLOYMENT = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidAddress",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidSignatureException",
        "KMS.DisabledException",
        "KMS.InvalidKeyUsageException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
        "KMSAccessDenied",
        "KMSAccessDeniedException",
        "KMSDisabled",
        "KMSDisabledException",
        "KMSInvalidState",
        "KMSInvalidStateException",
        "KMSNotFound",
        "KMSNotFoundException",
        "KmsAccessDenied",
        "KmsAccessDeniedException",
        "KmsDisabled",
        "KmsInvalidKeyUsage",
        "KmsInvalidState",
        "KmsInvalidStateException",
        "KmsNotFound",
        "KmsOptInRequired",
        "MissingAuthenticationToken",
        "NoPublishedVersionException",
        "NoSuchBucket",
        "NotAuthorized",
        "NotFound",
        "NotFoundException",
        "OptInRequired",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "RuntimeAliasDeletedException",
        "RuntimeVersionDeletedException",
        "ServiceQuotaExceededException",
        "SnapStartException",
        "SnapStartRegenerationFailureException",
        "StateMachineDeleting",
        "StateMachineDoesNotExist",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
        "UnsupportedOperation",
    }
)
#: The errors of a call that ``reason_of`` converts.
CALL_ERRORS = (ClientError, *UNREACHABLE)


def passes(code: str, http_status: int = 400) -> bool:
    """Whether a retry of the call may work: the service throttled it or had an internal error."""
    return code in PASSING or http_status in (408, 429) or http_status >= 500


def nature_of_aws(error: BaseException) -> Nature | None:
    """The nature of an error of botocore; None for other errors."""
    if isinstance(error, (*UNREACHABLE, CredentialRetrievalError, MetadataRetrievalError)):
        return Nature.TRANSIENT
    if isinstance(error, ClientError):
        return _nature_of_answer(error.response)
    if isinstance(error, ParamValidationError):
        return Nature.PERMANENT
    if isinstance(error, (NoCredentialsError, NoRegionError)):
        return Nature.MISCONFIGURED
    return Nature.UNKNOWN if isinstance(error, BotoCoreError) else None


def _nature_of_answer(response: Mapping[str, Any]) -> Nature:
    code, status = response.get("Error", {}).get("Code", ""), http_status_of(response)
    if code == CANCELLED:
        reasons = [reason.get("Code", "None") for reason in response.get("CancellationReasons", [])]
        asks_again = PASSING | CONFLICTS | CONDITIONS | {"None"}
        return Nature.TRANSIENT if asks_again.issuperset(reasons) else Nature.PERMANENT
    if passes(code, status) or code in CONFLICTS or code in CONDITIONS:
        return Nature.TRANSIENT
    return Nature.MISCONFIGURED if _is_misconfigured(code, status) else Nature.PERMANENT


def http_status_of(response: Mapping[str, Any]) -> int:
    """The HTTP status of an error response; 400, the caller's fault, if it is unknown."""
    return int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))


def reason_of(error: Exception, what: str, refused: type[CqrsError]) -> CqrsError:
    """Convert one of ``CALL_ERRORS`` to the port's error.

    ``what`` was called; ``refused``: the class of errors that a retry won't fix.
    """
    if not isinstance(error, ClientError):
        return TransientError(f"{what} could not be reached: {type(error).__name__}")
    response: Mapping[str, Any] = error.response
    return refusal(
        what, response["Error"]["Code"], response["Error"].get("Message", ""), refused, http_status_of(response)
    )


def refusal(what: str, code: str, message: str, refused: type[CqrsError], http_status: int = 400) -> CqrsError:
    """The port's error for an error code of the service, for a call or for one entry of it."""
    if passes(code, http_status):
        return TransientThrottle(f"{code} from {what}")
    error = refused(f"{code} from {what}: {message}")
    if _is_misconfigured(code, http_status):
        error.nature = Nature.MISCONFIGURED
    return error


def _is_misconfigured(code: str, http_status: int) -> bool:
    return code in DEPLOYMENT or http_status in (401, 403)
