"""The object port on S3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from handlers.aws import UNREACHABLE
from handlers.errors import ObjectMissing, ObjectTooLarge, TransientConflict, TransientError, TransientThrottle
from handlers.objects.port import JSON

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

#: API reference, "Error responses": worth another try once botocore's own retries are used up.
PASSING = frozenset({"SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout"})
CONFLICTS = frozenset({"OperationAborted", "ConditionalRequestConflict"})
#: Without s3:ListBucket, which no function has, S3 answers a missing key with AccessDenied
#: (API reference, GetObject, "Permissions"), so the two can't be told apart here.
MISSING = frozenset({"NoSuchKey", "404", "AccessDenied", "403"})


class S3Objects:
    """See ``Objects``. The client is asked for when it is first needed: most functions rarely touch an object."""

    def __init__(self, client: Callable[[], S3Client], bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @property
    def bucket(self) -> str:
        """See Objects."""
        return self._bucket

    def put(self, key: str, body: bytes, *, content_type: str = JSON) -> None:
        """See Objects."""
        with self._translated():
            self._client().put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """See Objects."""
        with self._translated():
            try:
                answer = self._client().get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                if error.response["Error"]["Code"] in MISSING:
                    raise ObjectMissing(self._bucket, key) from error
                raise
            body = answer["Body"]
            if answer["ContentLength"] > max_bytes:
                body.close()
                raise ObjectTooLarge(self._bucket, key, answer["ContentLength"], max_bytes)
            return body.read()

    def delete(self, key: str) -> None:
        """See Objects."""
        with self._translated():
            self._client().delete_object(Bucket=self._bucket, Key=key)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn botocore's errors into the port's."""
        try:
            yield
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in PASSING:
                raise TransientThrottle(f"S3 answered {code} for bucket {self._bucket}") from error
            if code in CONFLICTS:
                raise TransientConflict(f"S3 answered {code} for bucket {self._bucket}") from error
            raise
        except UNREACHABLE as error:
            raise TransientError(f"S3 could not be reached: {type(error).__name__}") from error
