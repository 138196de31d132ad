"""S3 objects of Distributed Maps on the local endpoint: ranged reads of one version, with the machine as caller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local.functions.model import current_function
from local.states.maps.objects import ObjectError, Pinned

#: Bytes of one read.
PIECE = 4 * 1024 * 1024


class S3MapObjects:
    """``Objects`` by boto3; see there for the methods' contract.

    Args:
        client: creates the S3 client, at the first call.
        piece: bytes of one read.
    """

    def __init__(self, client: Callable[[], Any] = lambda: boto3.client("s3"), *, piece: int = PIECE) -> None:
        self._make = client
        self._client: Any = None
        self._piece = piece

    def pin(self, caller: str, bucket: str, key: str, version: str | None = None) -> tuple[Pinned, bytes]:
        """GetObject of the first bytes, or of an empty object."""
        wanted = {"VersionId": version} if version is not None else {}
        try:
            answer = self._call(caller, "get_object", Bucket=bucket, Key=key, Range=self._range(0), **wanted)
        except _EmptyRange:
            answer = self._call(caller, "get_object", Bucket=bucket, Key=key, **wanted)
        size = int(answer.get("ContentRange", f"/{answer['ContentLength']}").rpartition("/")[2])
        return Pinned(bucket, key, size, answer["ETag"], answer.get("VersionId", version)), answer["Body"].read()

    def read(self, caller: str, pinned: Pinned, start: int) -> bytes:
        """GetObject of the next bytes, of the same version, or without versions only if the object hasn't changed."""
        same = {"VersionId": pinned.version} if pinned.version is not None else {"IfMatch": pinned.etag}
        where = {"Bucket": pinned.bucket, "Key": pinned.key, "Range": self._range(start)}
        body: bytes = self._call(caller, "get_object", **where, **same)["Body"].read()
        return body

    def write(self, caller: str, bucket: str, key: str, body: bytes) -> None:
        """PutObject."""
        self._call(caller, "put_object", Bucket=bucket, Key=key, Body=body, ContentType="application/json")

    def _range(self, start: int) -> str:
        return f"bytes={start}-{start + self._piece - 1}"

    def _call(self, caller: str, operation: str, **parameters: Any) -> Any:
        if self._client is None:
            self._client = self._make()
        before = current_function.set(caller)
        try:
            return getattr(self._client, operation)(**parameters)
        except ClientError as error:
            found = error.response["Error"]
            kind = _EmptyRange if found["Code"] == "InvalidRange" else ObjectError
            raise kind(f"{found['Code']}: {found.get('Message', '')}") from error
        except BotoCoreError as error:
            raise ObjectError(str(error)) from error
        finally:
            current_function.reset(before)


class _EmptyRange(ObjectError):
    """The range starts at or after the end of the object."""
