"""What a Distributed Map needs of S3: one contract for the local endpoint and for the tests' stand-in."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from local.aws.endpoint import AwsEndpoint
from local.aws.state_machines.map_objects import S3MapObjects
from local.states.maps.objects import ObjectError, Objects
from tests.support.map_objects import MemoryObjects

BUCKET = "bucket"
CALLER = "p-dev-import-csv"


class OnEndpoint:
    """The endpoint's bucket, with the same ``add`` as the stand-in."""

    def __init__(self, endpoint: AwsEndpoint) -> None:
        self.endpoint = endpoint
        self.client = boto3.client("s3")
        self.client.create_bucket(Bucket=BUCKET)
        self.client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.objects = S3MapObjects(piece=8)

    def add(self, key: str, body: str) -> str:
        return str(self.client.put_object(Bucket=BUCKET, Key=key, Body=body.encode())["VersionId"])


class InMemory:
    def __init__(self) -> None:
        self.objects = MemoryObjects(piece=8)
        self.add = self.objects.add


Store = OnEndpoint | InMemory


@pytest.fixture(params=["endpoint", "memory"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield InMemory()
        return
    with AwsEndpoint() as endpoint:
        yield OnEndpoint(endpoint)


def read(objects: Objects, key: str, version: str | None = None) -> bytes:
    pinned, body = objects.pin(CALLER, BUCKET, key, version)
    while len(body) < pinned.size:
        body += objects.read(CALLER, pinned, len(body))
    return body


@pytest.mark.parametrize("text", ["", "short", "12345678", "a text of several pieces", "ひらがな"])
def test_all_of_an_object_is_read(store: Store, text: str) -> None:
    store.add("k", text)
    assert read(store.objects, "k") == text.encode()


def test_a_given_version_is_read(store: Store) -> None:
    first = store.add("k", "the first of two")
    store.add("k", "the second one of them")
    assert read(store.objects, "k", first) == b"the first of two"


def test_the_version_stays_while_it_is_read(store: Store) -> None:
    store.add("k", "the first of two")
    pinned, body = store.objects.pin(CALLER, BUCKET, "k")
    store.add("k", "the second one of them")
    assert body + store.objects.read(CALLER, pinned, 8) == b"the first of two"


def test_what_is_written_can_be_read(store: Store) -> None:
    store.objects.write(CALLER, BUCKET, "results/manifest.json", b"{}")
    assert read(store.objects, "results/manifest.json") == b"{}"


def test_a_missing_object_is_an_error(store: Store) -> None:
    with pytest.raises(ObjectError, match=r"NoSuchKey: The specified key does not exist\."):
        store.objects.pin(CALLER, BUCKET, "other")


def test_a_missing_bucket_is_an_error() -> None:
    with AwsEndpoint(), pytest.raises(ObjectError, match="NoSuchBucket"):
        S3MapObjects().write(CALLER, "other", "k", b"")


def test_without_versions_a_change_is_noticed() -> None:
    with AwsEndpoint():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="k", Body=b"the first of two")
        objects = S3MapObjects(piece=8)
        pinned, _ = objects.pin(CALLER, BUCKET, "k")
        assert pinned.version is None
        client.put_object(Bucket=BUCKET, Key="k", Body=b"the second one")
        with pytest.raises(ObjectError, match="PreconditionFailed"):
            objects.read(CALLER, pinned, 8)


def test_inf_02_the_calls_are_the_machine_s() -> None:
    with AwsEndpoint() as endpoint:
        store = OnEndpoint(endpoint)
        version = store.add("rows.csv", "a text of several pieces")
        read(store.objects, "rows.csv")
        read(store.objects, "rows.csv", version)
        store.objects.write(CALLER, BUCKET, "results/x", b"")
        assert endpoint.calls_by_function() == {
            CALLER: {
                "s3:GetObject": {"arn:aws:s3:::bucket/rows.csv"},
                "s3:GetObjectVersion": {"arn:aws:s3:::bucket/rows.csv"},
                "s3:PutObject": {"arn:aws:s3:::bucket/results/x"},
            }
        }
