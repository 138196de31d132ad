"""One contract for every adapter of the object port."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from handlers.core.errors import (
    Nature,
    ObjectMissing,
    ObjectTooLarge,
    TransientConflict,
    TransientError,
    TransientThrottle,
)
from handlers.objects.memory import MemoryObjects
from handlers.objects.port import Objects
from handlers.objects.s3 import PART_BYTES, S3Objects
from tests.support.moto_clients import moto_session

BUCKET = "a-bucket"


@pytest.fixture(params=["memory", "s3"])
def objects(request: pytest.FixtureRequest) -> Iterator[Objects]:
    if request.param == "memory":
        yield MemoryObjects(BUCKET)
        return
    with moto_session() as session:
        client = session.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield S3Objects(lambda: client, BUCKET)


class TestObjects:
    def test_it_is_bound_to_one_bucket(self, objects: Objects) -> None:
        assert objects.bucket == BUCKET

    def test_what_is_written_is_read(self, objects: Objects) -> None:
        body = bytes(range(256)) * 5000
        objects.put("a/b!c.json", body)
        assert objects.get("a/b!c.json", max_bytes=len(body)) == body

    def test_a_later_write_wins(self, objects: Objects) -> None:
        objects.put("a", b"1")
        objects.put("a", b"22", content_type="text/plain")
        assert objects.get("a", max_bytes=10) == b"22"

    def test_a_missing_object_is_named(self, objects: Objects) -> None:
        with pytest.raises(ObjectMissing, match=r"s3://a-bucket/no/such\.json does not exist or may not be read"):
            objects.get("no/such.json", max_bytes=10)

    def test_a_large_object_is_not_read(self, objects: Objects) -> None:
        objects.put("a", b"12345")
        with pytest.raises(ObjectTooLarge, match="s3://a-bucket/a has 5 bytes; at most 4 are read"):
            objects.get("a", max_bytes=4)

    @pytest.mark.parametrize("sizes", [[], [0, 3, 4], [PART_BYTES], [PART_BYTES, 1], [3_000_000] * 6])
    def test_a_stream_of_any_size_becomes_an_object(self, objects: Objects, sizes: list[int]) -> None:
        blocks = [bytes([number]) * size for number, size in enumerate(sizes, start=65)]
        assert objects.write("a.csv", iter(blocks), content_type="text/csv") == sum(sizes)
        assert objects.get("a.csv", max_bytes=20_000_000) == b"".join(blocks)

    @pytest.mark.parametrize("good_blocks", [0, 1, 4])
    def test_a_stream_that_breaks_writes_nothing(self, objects: Objects, good_blocks: int) -> None:
        def blocks() -> Iterator[bytes]:
            for _ in range(good_blocks):
                yield b"x" * (PART_BYTES - 1)
            raise ValueError("damaged")

        objects.put("a.csv", b"before")
        with pytest.raises(ValueError, match="damaged"):
            objects.write("a.csv", blocks())
        assert objects.get("a.csv", max_bytes=10) == b"before"

    def test_delete_may_come_twice(self, objects: Objects) -> None:
        objects.put("a", b"1")
        objects.delete("a")
        objects.delete("a")
        with pytest.raises(ObjectMissing):
            objects.get("a", max_bytes=10)


class Failing:
    def __init__(self, error: Exception) -> None:
        self.error = error

    def get_object(self, **_: Any) -> None:
        raise self.error

    put_object = delete_object = create_multipart_upload = get_object


def answered(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "m"}}, "GetObject")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answered("SlowDown"), TransientThrottle),
        (answered("InternalError"), TransientThrottle),
        (answered("OperationAborted"), TransientConflict),
        (ConnectTimeoutError(endpoint_url="x"), TransientError),
        (answered("NoSuchBucket"), ClientError),
    ],
)
@pytest.mark.parametrize("call", ["get", "put", "delete", "write"])
def test_errors_of_s3_are_translated(call: str, error: Exception, expected: type[Exception]) -> None:
    objects: Any = S3Objects(lambda: Failing(error), BUCKET)  # type: ignore[arg-type, return-value]
    arguments: dict[str, dict[str, object]] = {
        "get": {"max_bytes": 1},
        "put": {"body": b""},
        "delete": {},
        "write": {"blocks": [b"x" * (PART_BYTES + 1)]},
    }
    with pytest.raises(expected) as caught:
        getattr(objects, call)(key="k", **arguments[call])
    assert type(caught.value) is expected


def test_access_denied_may_be_a_missing_object() -> None:
    objects = S3Objects(lambda: Failing(answered("AccessDenied")), BUCKET)  # type: ignore[arg-type, return-value]
    with pytest.raises(ObjectMissing) as denied:
        objects.get("k", max_bytes=1)
    assert denied.value.nature is Nature.MISCONFIGURED  # or, more likely, a missing right
    gone = S3Objects(lambda: Failing(answered("NoSuchKey")), BUCKET)  # type: ignore[arg-type, return-value]
    with pytest.raises(ObjectMissing) as missing:
        gone.get("k", max_bytes=1)
    assert missing.value.nature is Nature.PERMANENT


class Uploads:
    """A client that remembers uploads and breaks at one part, or at the abort as well."""

    def __init__(self, *, bad_abort: bool = False) -> None:
        self.bad_abort = bad_abort
        self.calls: list[str] = []

    def create_multipart_upload(self, **_: Any) -> dict[str, str]:
        return {"UploadId": "u"}

    def upload_part(self, *, PartNumber: int, Body: bytes, **_: Any) -> dict[str, str]:
        self.calls.append(f"part {PartNumber} of {len(Body)}")
        if PartNumber == 3:
            raise answered("SlowDown")
        return {"ETag": "e"}

    def abort_multipart_upload(self, **given: Any) -> None:
        self.calls.append(f"abort {given['UploadId']}")
        if self.bad_abort:
            raise answered("InternalError")


@pytest.mark.parametrize("bad_abort", [False, True])
def test_an_upload_that_fails_is_aborted_and_the_first_error_raised(bad_abort: bool) -> None:
    client: Any = Uploads(bad_abort=bad_abort)
    with pytest.raises(TransientThrottle, match="SlowDown"):
        S3Objects(lambda: client, BUCKET).write("k", [b"x" * PART_BYTES] * 4)
    assert client.calls == [*(f"part {number} of {PART_BYTES}" for number in (1, 2, 3)), "abort u"]
