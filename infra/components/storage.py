"""The bucket: private, encrypted, versioned, with a lifecycle per prefix."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_aws import s3

from contract.objects import MAP_RESULTS, NORMALISED, PREFIXES, REPORTS, ZIP
from contract.outputs import BUCKET_NAME
from infra.naming.names import Account, Names
from infra.permissions import resources
from infra.permissions.policies import tls_only

#: Prefix to the age in days at which its objects are deleted. ``attributes/`` isn't listed: rows refer to its objects
#: for as long as they exist, which a rule by age can't know (decision record 0030).
EXPIRY_DAYS = {NORMALISED: 30, MAP_RESULTS: 30, REPORTS: 180, ZIP: 30}
NONCURRENT_DAYS = 30
ABANDONED_UPLOAD_DAYS = 7


@dataclass(frozen=True)
class StorageArgs:
    """Arguments of ``Storage``."""

    names: Names
    account: Account
    deletion_protection: bool
    force_destroy: bool
    key: pulumi.Input[str] | None
    #: The bucket for the access log; empty: no access log.
    access_log: str


class Storage(pulumi.ComponentResource):
    """``bucket``."""

    bucket: s3.Bucket

    def __init__(self, name: str, args: StorageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cqrs:infra:Storage", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.bucket = s3.Bucket(
            "bucket",
            bucket=args.names.bucket(args.account.account_id),
            # Also deletes versions of objects, of which there may be too many to delete by hand.
            force_destroy=args.force_destroy or None,
            tags=args.names.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=args.deletion_protection),
        )
        s3.BucketVersioning(
            "bucket-versioning",
            bucket=self.bucket.bucket,
            versioning_configuration=s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=child,
        )
        s3.BucketServerSideEncryptionConfiguration(
            "bucket-encryption",
            bucket=self.bucket.bucket,
            rules=[
                s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=(
                        s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                            sse_algorithm="AES256" if args.key is None else "aws:kms", kms_master_key_id=args.key
                        )
                    ),
                    # One call to KMS for many objects (S3 User Guide, "Reducing the cost of SSE-KMS").
                    bucket_key_enabled=None if args.key is None else True,
                )
            ],
            opts=child,
        )
        s3.BucketPublicAccessBlock(
            "bucket-public-access",
            bucket=self.bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        s3.BucketPolicy(
            "bucket-policy",
            bucket=self.bucket.bucket,
            policy=pulumi.Output.json_dumps(_tls_only(self.bucket.arn), sort_keys=True),
            opts=child,
        )
        s3.BucketLifecycleConfiguration("bucket-lifecycle", bucket=self.bucket.bucket, rules=_lifecycle(), opts=child)
        if args.access_log:
            s3.BucketLogging(
                "bucket-logging",
                bucket=self.bucket.bucket,
                target_bucket=args.access_log,
                target_prefix=f"{args.names.bucket(args.account.account_id)}/",
                opts=child,
            )
        self.register_outputs({BUCKET_NAME: self.bucket.bucket})

    def arns(self) -> dict[str, pulumi.Input[str]]:
        """For permissions: objects by prefix."""
        return {resources.objects(prefix): pulumi.Output.concat(self.bucket.arn, f"/{prefix}*") for prefix in PREFIXES}


def _tls_only(bucket_arn: pulumi.Output[str]) -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [tls_only("s3:*", [bucket_arn, pulumi.Output.concat(bucket_arn, "/*")])],
    }


def _lifecycle() -> list[s3.BucketLifecycleConfigurationRuleArgs]:
    rules = [
        s3.BucketLifecycleConfigurationRuleArgs(
            id=f"expire-{prefix.rstrip('/')}",
            status="Enabled",
            filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=prefix),
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        )
        for prefix, days in EXPIRY_DAYS.items()
    ]
    tidy = s3.BucketLifecycleConfigurationRuleArgs(
        id="tidy",
        status="Enabled",
        filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
        noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=NONCURRENT_DAYS
        ),
        abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=ABANDONED_UPLOAD_DAYS
        ),
    )
    return [*rules, tidy]
