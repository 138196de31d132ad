"""Links to objects of the stack's bucket that work for anyone who has them, for a limited time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

#: Validity of a link. It may expire earlier, with the function's credentials.
SECONDS = 900


class Links(Protocol):
    """Links to objects of one bucket."""

    def upload(self, key: str) -> str:
        """URL for uploading the object (HTTP PUT), valid for ``SECONDS``."""
        ...

    def download(self, key: str) -> str:
        """URL for downloading the object, valid for ``SECONDS``; created even if there is no object."""
        ...


class S3Links:
    """See ``Links``: presigned URLs. They have the permissions of the function's role; creating one makes no call."""

    def __init__(self, client: Callable[[], S3Client], bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def upload(self, key: str) -> str:
        """See Links."""
        return self._url("put_object", key)

    def download(self, key: str) -> str:
        """See Links."""
        return self._url("get_object", key)

    def _url(self, operation: str, key: str) -> str:
        given = {"Bucket": self._bucket, "Key": key}
        return self._client().generate_presigned_url(operation, Params=given, ExpiresIn=SECONDS)
