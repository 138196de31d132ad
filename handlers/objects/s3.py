"""The object port on S3."""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import ClientError

from handlers.core.aws.clients import UNREACHABLE
from handlers.core.aws.errors import CONFLICTS, http_status_of, passes
from handlers.core.errors import (
    BucketMissing,
    Nature,
    ObjectChanged,
    ObjectMissing,
    ObjectTooLarge,
    TransientConflict,
    TransientError,
    TransientThrottle,
)
from handlers.core.log import log_step
from handlers.objects.port import JSON
from handlers.objects.source import ObjectInfo

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

#: Without s3:ListBucket, which no function has, S3 returns AccessDenied for a missing key
#: (API reference, GetObject, "Permissions"), so the two can't be distinguished here.
DENIED = frozenset({"AccessDenied", "403"})
MISSING = DENIED | {"NoSuchKey", "404"}
GONE = MISSING | {"NoSuchVersion", "PreconditionFailed", "412"}
#: Size of the parts of a multipart upload; the last may be shorter. S3 allows 10,000 of at least 5 MiB ("Multipart
#: upload limits").
PART_BYTES = 8 * 1024 * 1024


class S3Objects:
    """See ``Objects``. The client is created at first use: most functions rarely access an object."""

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

    def write(self, key: str, blocks: Iterable[bytes], *, content_type: str = JSON) -> int:
        """See Objects. By multipart upload if it is longer than one part."""
        parts = _parts(blocks, PART_BYTES)
        first = next(parts, b"")
        second = next(parts, None)
        if second is None:
            self.put(key, first, content_type=content_type)
            return len(first)
        with _translated(self._bucket):
            upload: dict[str, Any] = {"Bucket": self._bucket, "Key": key}
            answer = self._client().create_multipart_upload(**upload, ContentType=content_type)
            upload["UploadId"] = answer["UploadId"]
            try:
                return self._upload(upload, itertools.chain((first, second), parts))
            except Exception:
                self._abort(upload)
                raise

    def _abort(self, upload: dict[str, Any]) -> None:
        """If this fails, or the function is killed, the bucket's lifecycle removes the parts."""
        try:
            self._client().abort_multipart_upload(**upload)
        except (ClientError, *UNREACHABLE) as error:
            log_step("upload not aborted", level=logging.WARNING, error=error, key=upload["Key"])

    def _upload(self, upload: dict[str, Any], parts: Iterable[bytes]) -> int:
        client, size = self._client(), 0
        done: list[CompletedPartTypeDef] = []
        for number, part in enumerate(parts, start=1):
            answer = client.upload_part(**upload, PartNumber=number, Body=part)
            done.append({"PartNumber": number, "ETag": answer["ETag"]})
            size += len(part)
        client.complete_multipart_upload(**upload, MultipartUpload={"Parts": done})
        return size

    def get(self, key: str, *, max_bytes: int) -> bytes:
        """See Objects."""
        with _translated(self._bucket):
            try:
                answer = self._client().get_object(Bucket=self._bucket, Key=key)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code not in MISSING:
                    raise
                missing = ObjectMissing(self._bucket, key)
                if code in DENIED:
                    # The stored pointer means that it was written: rather a permission is missing than the object.
                    missing.nature = Nature.MISCONFIGURED
                raise missing from error
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
        # A bucket with suspended versioning returns "null" for objects that can be overwritten.
        version = answer.get("VersionId")
        return ObjectInfo(bucket, key, answer["ContentLength"], answer["ETag"], None if version == "null" else version)

    def open(self, info: ObjectInfo) -> BinaryIO:
        """See ObjectSource."""
        return cast(BinaryIO, _Body(self._get(info), info.bucket))

    def read_range(self, info: ObjectInfo, start: int, length: int) -> bytes:
        """See ObjectSource."""
        if start >= info.size:
            return b""
        with cast(BinaryIO, _Body(self._get(info, Range=f"bytes={start}-{start + length - 1}"), info.bucket)) as body:
            return body.read()

    def _get(self, info: ObjectInfo, **part: Any) -> Any:
        pin: dict[str, Any] = {"IfMatch": info.etag} if info.version_id is None else {"VersionId": info.version_id}
        with _translated(info.bucket):
            try:
                return self._client().get_object(Bucket=info.bucket, Key=info.key, **pin, **part)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] in GONE:
                    raise ObjectChanged(info.bucket, info.key) from error
                raise


class _Body(io.RawIOBase):
    """An object's body that raises the port's errors."""

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


def _parts(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Regroup the bytes into parts of ``size``."""
    part = bytearray()
    for block in blocks:
        part += block
        while len(part) >= size:
            yield bytes(part[:size])
            del part[:size]
    if part:
        yield bytes(part)


@contextmanager
def _translated(bucket: str) -> Iterator[None]:
    """Convert botocore's errors to the port's."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if passes(code, http_status_of(cast("Mapping[str, Any]", error.response))):
            raise TransientThrottle(f"S3 answered {code} for bucket {bucket}") from error
        if code in CONFLICTS:
            raise TransientConflict(f"S3 answered {code} for bucket {bucket}") from error
        raise
    except UNREACHABLE as error:
        raise TransientError(f"S3 could not be reached: {type(error).__name__}") from error
