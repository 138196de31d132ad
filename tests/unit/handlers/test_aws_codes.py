"""Every error code that botocore's models name for a call of ours is judged: whose fault is it?"""

from __future__ import annotations

import botocore.session
import pytest
from botocore.exceptions import ClientError

from handlers.core.aws.errors import CANCELLED, nature_of_aws
from handlers.core.errors import Nature

OPERATIONS = {
    "dynamodb": "GetItem PutItem UpdateItem DeleteItem Query Scan TransactWriteItems TransactGetItems BatchWriteItem",
    "events": "PutEvents",
    "lambda": "Invoke",
    "s3": "GetObject PutObject DeleteObject CreateMultipartUpload UploadPart CompleteMultipartUpload",
    "sns": "Publish PublishBatch",
    "sqs": "SendMessage SendMessageBatch",
    "stepfunctions": "StartExecution SendTaskSuccess SendTaskFailure DescribeExecution",
}
#: What is wrong with the call or with what it carries. Whatever is not here is the deployment's fault, or passes.
OF_THE_DATA = {
    *("IdempotentParameterMismatchException", "ItemCollectionSizeLimitExceededException"),
    *("BatchEntryIdsNotDistinct", "BatchRequestTooLong", "EmptyBatchRequest", "InvalidBatchEntryId"),
    *("TooManyEntriesInBatchRequest", "InvalidMessageContents", "InvalidParameter", "ParameterValueInvalid"),
    *("ValidationException", "EndpointDisabled", "PlatformApplicationDisabled"),  # the latter two: mobile phones
    *("InvalidParameterValueException", "InvalidRequestContentException", "RecursiveInvocationException"),
    *("RequestTooLargeException", "SerializedRequestEntityTooLargeException", "UnsupportedMediaTypeException"),
    *("DurableExecutionAlreadyStartedException", "ModeNotSupportedException", "EFSIOException"),
    *("CodeArtifactUserDeletedException", "CodeArtifactUserFailedException", "CodeArtifactUserPendingException"),
    *("ExecutionAlreadyExists", "ExecutionDoesNotExist", "InvalidArn", "InvalidExecutionInput", "InvalidName"),
    *("InvalidOutput", "InvalidToken", "TaskDoesNotExist", "TaskTimedOut"),
    *("NoSuchKey", "EncryptionTypeMismatch", "InvalidRequest", "InvalidWriteOffset", "TooManyParts"),
}
PASSES = {
    *("KmsThrottlingException", "KMSThrottling", "KmsThrottled", "RequestThrottled", "ExecutionLimitExceeded"),
    *("TransactionConflictException", "ReplicatedWriteConflictException", "ResourceConflictException"),
    *("EFSMountTimeoutException", "SnapStartNotReadyException", "InternalServerError"),
}
MISSES = {
    *("ResourceNotFoundException", "NotFound", "QueueDoesNotExist", "StateMachineDoesNotExist", "AuthorizationError"),
    *("KmsAccessDeniedException", "KmsInvalidStateException", "KmsInvalidKeyUsage", "KmsOptInRequired"),
    *("InvalidAddress", "InvalidSecurity", "UnsupportedOperation", "ServiceQuotaExceededException"),
}


def codes() -> dict[tuple[str, str], int]:
    """Service and code to the HTTP status, 400 where the model names none."""
    session, found = botocore.session.get_session(), {}
    for service, operations in OPERATIONS.items():
        model = session.get_service_model(service)
        for operation in operations.split():
            for shape in model.operation_model(operation).error_shapes:
                told = shape.metadata.get("error", {})
                found[service, told.get("code", shape.name)] = told.get("httpStatusCode", 400)
    found.pop(("dynamodb", CANCELLED))  # its reasons tell
    return found


def nature(code: str, status: int = 400) -> Nature | None:
    response = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return nature_of_aws(ClientError(response, "Operation"))  # type: ignore[arg-type]


def test_only_what_the_data_is_to_blame_for_is_permanent() -> None:
    natures = {code: nature(code, status) for (_, code), status in codes().items()}
    assert len(natures) >= 80
    assert {code for code, found in natures.items() if found is Nature.PERMANENT} == OF_THE_DATA
    assert natures.keys() >= PASSES | MISSES
    assert {code for code in PASSES if natures[code] is not Nature.TRANSIENT} == set()
    assert {code for code in MISSES if natures[code] is not Nature.MISCONFIGURED} == set()


@pytest.mark.parametrize("code", ["KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.NotFoundException"])
def test_keys_of_kms_that_s3_can_not_use(code: str) -> None:
    """S3's model names no errors of KMS; it answers them with 400 and this prefix (aws/aws-cli issue 4507)."""
    assert nature(code) is Nature.MISCONFIGURED
