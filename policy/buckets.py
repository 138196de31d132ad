"""Buckets. A bucket's settings are separate resources that refer to it by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from policy.model import Declared, Props, StackRule, of_type, tls_only

BUCKET = "aws:s3/bucket:Bucket"

Find = Callable[[Sequence[Declared]], Iterator[tuple[Declared, str]]]


def _has(type_: str, good: Callable[[Props], bool], problem: str) -> Find:
    """A rule that each bucket has a resource of ``type_`` for which ``good`` holds."""

    def find(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
        named = {one.props.get("bucket") for one in of_type(resources, type_) if good(one.props)}
        for bucket in of_type(resources, BUCKET):
            if bucket.props.get("bucket") not in named:
                yield bucket, problem

    return find


def _versioned(props: Props) -> bool:
    return (props.get("versioningConfiguration") or {}).get("status") == "Enabled"


def _encrypted(props: Props) -> bool:
    defaults = [one.get("applyServerSideEncryptionByDefault") or {} for one in props.get("rules") or []]
    return any(one.get("sseAlgorithm") in ("AES256", "aws:kms") for one in defaults)


def _private(props: Props) -> bool:
    names = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    return all(props.get(name) for name in names)


def _expires(props: Props) -> bool:
    rules = [one for one in props.get("rules") or [] if one.get("status") == "Enabled"]
    return any("noncurrentVersionExpiration" in one for one in rules)


RULES = (
    StackRule(
        "bucket-versioned",
        "nothing is overwritten",
        _has("aws:s3/bucketVersioning:BucketVersioning", _versioned, "versioning is not enabled"),
    ),
    StackRule(
        "bucket-encrypted",
        "encryption at rest",
        _has(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            _encrypted,
            "has no default encryption",
        ),
    ),
    StackRule(
        "bucket-private",
        "never public",
        _has("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", _private, "public access is not blocked"),
    ),
    StackRule(
        "bucket-lifecycle",
        "old versions expire",
        _has(
            "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
            _expires,
            "no lifecycle rule expires old versions",
        ),
    ),
    StackRule(
        "bucket-tls",
        "encryption in transit",
        _has("aws:s3/bucketPolicy:BucketPolicy", tls_only, "requests without TLS are not denied"),
    ),
)
