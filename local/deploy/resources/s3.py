"""Buckets. Their settings are created on the endpoint if it stores them, else only recorded."""

from __future__ import annotations

import json
from typing import Any

from local.deploy.workspace import Created, Creator, Request, Workspace, document, list_of, location_of
from local.partitions import suffix_of


def bucket(workspace: Workspace, request: Request) -> Created:
    """A bucket; its id is its name. Versioning, encryption and other settings are separate resources."""
    request.known("bucket", "forceDestroy", "objectLockEnabled")
    name = workspace.physical_name(request, "bucket", lower=True)
    client = workspace.client("s3")
    client.create_bucket(Bucket=name, **location_of(workspace.region))
    tags = workspace.tags(request)
    if tags:
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tag_set})
    outputs = {
        "bucket": name,
        "arn": f"arn:{workspace.partition}:s3:::{name}",
        "bucketDomainName": f"{name}.s3.amazonaws.com",
        "bucketRegionalDomainName": f"{name}.s3.{workspace.region}.{suffix_of(workspace.region)}",
    }
    return Created(name, outputs)


def versioning(workspace: Workspace, request: Request) -> Created:
    """Versioning."""
    request.known("bucket", "versioningConfiguration")
    name = request.inputs["bucket"]
    status = request.inputs["versioningConfiguration"]["status"]
    workspace.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    return Created(name)


def encryption(workspace: Workspace, request: Request) -> Created:
    """Default encryption."""
    request.known("bucket", "rules")
    rules = []
    for rule in list_of(request.inputs["rules"]):
        default = rule.get("applyServerSideEncryptionByDefault", {})
        by_default = {"SSEAlgorithm": default.get("sseAlgorithm", "AES256")}
        if "kmsMasterKeyId" in default:
            by_default["KMSMasterKeyID"] = default["kmsMasterKeyId"]
        encrypted: dict[str, Any] = {"ApplyServerSideEncryptionByDefault": by_default}
        if "bucketKeyEnabled" in rule:
            encrypted["BucketKeyEnabled"] = bool(rule["bucketKeyEnabled"])
        rules.append(encrypted)
    name = request.inputs["bucket"]
    workspace.client("s3").put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
    return Created(name)


def public_access_block(workspace: Workspace, request: Request) -> Created:
    """The public access block."""
    names = {
        "blockPublicAcls": "BlockPublicAcls",
        "blockPublicPolicy": "BlockPublicPolicy",
        "ignorePublicAcls": "IgnorePublicAcls",
        "restrictPublicBuckets": "RestrictPublicBuckets",
    }
    request.known("bucket", *names)
    name = request.inputs["bucket"]
    workspace.client("s3").put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            aws: bool(request.inputs.get(property_name, False)) for property_name, aws in names.items()
        },
    )
    return Created(name)


def policy(workspace: Workspace, request: Request) -> Created:
    """The bucket's policy. Statements with a ``Condition`` are only recorded.

    moto ignores conditions, so a statement that denies requests without TLS would deny all.
    """
    request.known("bucket", "policy")
    name = request.inputs["bucket"]
    declared = document(request.inputs["policy"], request, "policy")
    statements = [one for one in list_of(declared["Statement"]) if "Condition" not in one]
    if statements:
        text = json.dumps({**declared, "Statement": statements})
        workspace.client("s3").put_bucket_policy(Bucket=name, Policy=text)
    return Created(name)


def recorded(workspace: Workspace, request: Request) -> Created:
    """A setting without effect on a bucket that only lives as long as the process: only recorded."""
    return Created(request.inputs["bucket"])


def logging(workspace: Workspace, request: Request) -> Created:
    """The access log: only recorded, since there is none here, and its bucket doesn't exist here."""
    request.known("bucket", "targetBucket", "targetPrefix")
    return Created(request.inputs["bucket"])


def cors(workspace: Workspace, request: Request) -> Created:
    """CORS rules: only recorded, since pages and bucket have the same origin here."""
    request.known("bucket", "corsRules")
    return Created(request.inputs["bucket"])


CREATORS: dict[str, Creator] = {
    "aws:s3/bucket:Bucket": bucket,
    "aws:s3/bucketCorsConfiguration:BucketCorsConfiguration": cors,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": recorded,
    "aws:s3/bucketLogging:BucketLogging": logging,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": recorded,
    "aws:s3/bucketPolicy:BucketPolicy": policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": public_access_block,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": encryption,
    "aws:s3/bucketVersioning:BucketVersioning": versioning,
}
