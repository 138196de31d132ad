"""One contract for every adapter of the source port, with versions in the bucket and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from handlers.core.errors import BucketMissing, ObjectChanged, ObjectMissing, TransientError, TransientThrottle
from handlers.imports.files.inspection import inspect
from handlers.imports.files.layout import Layout
from handlers.objects.memory import MemorySource
from handlers.objects.s3 import S3Source
from handlers.objects.source import ObjectSource
from tests.support.moto_clients import moto_session

BUCKET = "a-bucket"
Put = Callable[[str, bytes], object]
World = tuple[ObjectSource, Put, bool]


@pytest.fixture(params=["memory", "s3"])
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["versions", "no versions"])
def world(adapter: str, request: pytest.FixtureRequest) -> Iterator[World]:
    versioned = bool(request.param)
    if adapter == "memory":
        memory = MemorySource(BUCKET, versioned=versioned)
        yield memory, lambda key, body: memory.put(BUCKET, key, body), versioned
        return
    with moto_session() as session:
        client = session.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        if versioned:
            client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield (
            S3Source(lambda: client),
            lambda key, body: client.put_object(Bucket=BUCKET, Key=key, Body=body),
            versioned,
        )


class TestSource:
    def test_what_is_found_is_read(self, world: World) -> None:
        source, put, versioned = world
        body = bytes(range(256)) * 5_000
        put("a/b c.csv", body)
        info = source.find(BUCKET, "a/b c.csv")
        assert (info.size, info.version_id is not None) == (len(body), versioned)
        with source.open(info) as stream:
            parts = [stream.read(100_000) for _ in range(14)]
        assert b"".join(parts) == body
        assert parts[-1] == b""

    def test_what_is_missing_is_named(self, world: World) -> None:
        source, _, _ = world
        with pytest.raises(ObjectMissing, match=r"s3://a-bucket/no\.csv does not exist or may not be read"):
            source.find(BUCKET, "no.csv")
        with pytest.raises(BucketMissing, match="bucket another-bucket does not exist"):
            source.find("another-bucket", "no.csv")

    def test_imp_16_a_replaced_object_is_the_first_or_an_error(self, world: World) -> None:
        source, put, versioned = world
        put("a.csv", b"first")
        info = source.find(BUCKET, "a.csv")
        put("a.csv", b"second")
        if versioned:
            with source.open(info) as stream:
                assert stream.read(100) == b"first"
        else:
            with pytest.raises(ObjectChanged, match=r"s3://a-bucket/a\.csv was replaced or removed"):
                source.open(info)

    def test_a_range_is_of_the_content_that_was_found(self, world: World) -> None:
        source, put, versioned = world
        put("a.zip", b"0123456789")
        info = source.find(BUCKET, "a.zip")
        assert [source.read_range(info, *given) for given in ((0, 3), (8, 5), (9, 1), (10, 4), (50, 1))] == [
            b"012",
            b"89",
            b"9",
            b"",
            b"",
        ]
        put("a.zip", b"something else")
        if versioned:
            assert source.read_range(info, 0, 100) == b"0123456789"
        else:
            with pytest.raises(ObjectChanged, match=r"s3://a-bucket/a\.zip was replaced or removed"):
                source.read_range(info, 0, 100)

    def test_a_file_is_inspected_through_it(self, world: World) -> None:
        source, put, _ = world
        put("a.csv", b"id,name\n" + b"".join(b"%d,name\n" % number for number in range(60_000)))
        info = source.find(BUCKET, "a.csv")
        assert inspect(lambda: source.open(info), Layout("t", ("id", "name"), ("id",)), versioned=True).rows == 60_000


class Failing:
    """A client, and the body of what it answers."""

    def __init__(self, error: Exception, *, late: bool = False) -> None:
        self.error = error
        self.late = late

    def get_object(self, **_: Any) -> dict[str, Any]:
        if not self.late:
            raise self.error
        return {"Body": self, "ContentLength": 3, "ETag": "e", "VersionId": "null"}

    def read(self, _: Any) -> bytes:
        raise self.error

    def close(self) -> None:
        return None


def source_of(error: Exception, *, late: bool = False) -> S3Source:
    client: Any = Failing(error, late=late)
    return S3Source(lambda: client)


def test_errors_of_s3_are_translated() -> None:
    slow = ClientError({"Error": {"Code": "SlowDown", "Message": "m"}}, "GetObject")
    with pytest.raises(TransientThrottle):
        source_of(slow).find(BUCKET, "k")
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "m"}}, "GetObject")
    with pytest.raises(ObjectMissing):
        source_of(denied).find(BUCKET, "k")


def test_a_body_that_ends_early_is_worth_another_try() -> None:
    source = source_of(ReadTimeoutError(endpoint_url="x"), late=True)
    info = source.find(BUCKET, "k")
    assert info.version_id is None
    with pytest.raises(TransientError, match="S3 could not be reached: ReadTimeoutError"):
        source.open(info).read(10)
    with pytest.raises(TransientError, match="S3 could not be reached: ReadTimeoutError"):
        source.read_range(info, 0, 10)
