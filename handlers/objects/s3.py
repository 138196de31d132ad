"""The object port on S3."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import ClientError

from handlers.aws import UNREACHABLE
from handlers.errors import (
    BucketMissing,
    ObjectChanged,
    ObjectMissing,
    ObjectTooLarge,
    TransientConflict,
    TransientError,
    TransientThrottle,
)
from handlers.objects.port import JSON
from handlers.objects.source import ObjectInfo

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
        with _translated(self._bucket):
            self._client().put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type)

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """See Objects."""
        with _translated(self._bucket):
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
        with _translated(self._bucket):
            self._client().delete_object(Bucket=self._bucket, Key=key)


class S3Source:
    """See ``ObjectSource``."""

    def __init__(self, client: Callable[[], S3Client]) -> None:
        self._client = client

    def find(self, bucket: str, key: str) -> ObjectInfo:
        """See ObjectSource. By GetObject, whose body stays unread: HeadObject's errors don't say what is missing."""
        with _translated(bucket):
            try:
                answer = self._client().get_object(Bucket=bucket, Key=key)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code == "NoSuchBucket":
                    raise BucketMissing(bucket) from error
                if code in MISSING:
                    raise ObjectMissing(bucket, key) from error
                raise
        answer["Body"].close()
        # A bucket whose versioning is suspended answers "null" for what can be overwritten.
        version = answer.get("VersionId")
        return ObjectInfo(bucket, key, answer["ContentLength"], answer["ETag"], None if version == "null" else version)

    def open(self, info: ObjectInfo) -> BinaryIO:
        """See ObjectSource."""
        pin: dict[str, Any] = {"IfMatch": info.etag} if info.version_id is None else {"VersionId": info.version_id}
        with _translated(info.bucket):
            try:
                answer = self._client().get_object(Bucket=info.bucket, Key=info.key, **pin)
            except ClientError as error:
                if error.response["Error"]["Code"] in {*MISSING, "NoSuchVersion", "PreconditionFailed", "412"}:
                    raise ObjectChanged(info.bucket, info.key) from error
                raise
        return cast(BinaryIO, _Body(answer["Body"], info.bucket))


class _Body(io.RawIOBase):
    """An object's body whose errors are the port's."""

    def __init__(self, body: Any, bucket: str) -> None:
        self._body = body
        self._bucket = bucket

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        with _translated(self._bucket):
            content: bytes = self._body.read(None if size is None or size < 0 else size)
            return content

    def close(self) -> None:
        self._body.close()
        super().close()


@contextmanager
def _translated(bucket: str) -> Iterator[None]:
    """Turn botocore's errors into the port's."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in PASSING:
            raise TransientThrottle(f"S3 answered {code} for bucket {bucket}") from error
        if code in CONFLICTS:
            raise TransientConflict(f"S3 answered {code} for bucket {bucket}") from error
        raise
    except UNREACHABLE as error:
        raise TransientError(f"S3 could not be reached: {type(error).__name__}") from error
