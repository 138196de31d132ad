"""Stores and restores the objects of buckets, version by version, with each S3 call that changes them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from weakref import WeakKeyDictionary

from moto.s3.models import FakeDeleteMarker, FakeKey

from local.aws import services
from local.aws.model import ACCOUNT_ID, AwsRequest
from local.aws.operations import READS
from local.journal import Journal

#: Kind of journal rows; their keys are the JSON of bucket, key and version.
KIND = "object"
#: The stored versions, by journal and object.
_kept: WeakKeyDictionary[Journal, dict[tuple[str, str], set[str]]] = WeakKeyDictionary()


def keep_objects(journal: Journal, request: AwsRequest) -> None:
    """Store the changes of a call that was just answered. The endpoint's lock must be held."""
    bucket_name = str(request.params.get("Bucket"))
    bucket = services.backend("s3", request.region).buckets.get(bucket_name)
    if bucket is None or request.operation.startswith(READS):
        return
    known = _kept.setdefault(journal, {})
    for key in _keys(request, bucket, [key for name, key in known if name == bucket_name]):
        before = known.setdefault((bucket_name, key), set())
        versions = {str(one.version_id): one for one in bucket.keys.getlist(key, [])}
        for gone in before - versions.keys():
            journal.delete(KIND, _row_key(bucket_name, key, gone))
        for version, one in versions.items():
            if version not in before or version == "null":
                journal.put(KIND, _row_key(bucket_name, key, version), *_described(one))
        before.intersection_update(versions)
        before.update(versions)


def restore_objects(journal: Journal, region: str) -> None:
    """Restore objects into the declared buckets; those of other buckets are deleted."""
    buckets = services.backend("s3", region).buckets
    for row in journal.rows(KIND):
        bucket_name, key, version = json.loads(row.key)
        bucket = buckets.get(bucket_name)
        if bucket is None:
            journal.delete(KIND, row.key)
            continue
        one = FakeKey(
            key,
            row.content or b"",
            ACCOUNT_ID,
            region,
            bucket_name=bucket_name,
            etag=row.value["etag"],
            is_versioned=bucket.is_versioned,
            version_id=version,
            encryption=row.value["encryption"],
            kms_key_id=row.value["kms_key_id"],
        )
        one._metadata.update(row.value["metadata"])
        shown: Any = one
        if row.value["is_marker"]:
            shown = FakeDeleteMarker(one)
            shown._version_id = version
        shown.last_modified = shown.last_modified.fromisoformat(row.value["last_modified"])
        bucket.keys.setlist(key, [*bucket.keys.getlist(key, []), shown])
        _kept.setdefault(journal, {}).setdefault((bucket_name, key), set()).add(version)


def _row_key(bucket_name: str, key: str, version: str) -> str:
    return json.dumps([bucket_name, key, version])


def _keys(request: AwsRequest, bucket: Any, known: list[str]) -> Iterable[str]:
    if request.operation == "DeleteObjects":  # the keys are in its body
        return {*known, *bucket.keys}
    key = request.params.get("Key")
    return [] if key is None else [str(key)]


def _described(one: Any) -> tuple[dict[str, Any], bytes | None]:
    is_marker = isinstance(one, FakeDeleteMarker)
    key = one.key if is_marker else one
    described = {
        "is_marker": is_marker,
        "etag": None if is_marker else key._etag,
        "encryption": key.encryption,
        "kms_key_id": key.kms_key_id,
        "metadata": dict(key._metadata),
        "last_modified": one.last_modified.isoformat(),
    }
    return described, None if is_marker else key.value
