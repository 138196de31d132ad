"""Existing buckets and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.existing.model import Existing, State, found, nothing, set_again
from local.deploy.resources.s3 import CREATORS
from local.deploy.workspace import Request, Workspace

#: Maximum objects of one DeleteObjects call (S3 API reference).
MOST_DELETED = 1_000


def update_bucket(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update tags; ``forceDestroy`` takes effect when the bucket is deleted."""
    client, tags = workspace.client("s3"), workspace.tags(request)
    if tags:
        tag_set = [{"Key": key, "Value": value} for key, value in tags.items()]
        client.put_bucket_tagging(Bucket=state.id, Tagging={"TagSet": tag_set})
    elif state.inputs.get("tags"):
        client.delete_bucket_tagging(Bucket=state.id)
    return state.outputs


def delete_bucket(workspace: Workspace, state: State) -> None:
    """Delete the bucket; refused if it has objects, unless it was declared with ``forceDestroy``."""
    client = workspace.client("s3")

    def delete() -> None:
        if state.inputs.get("forceDestroy"):
            _empty(client, state.id)
        client.delete_bucket(Bucket=state.id)

    found(delete)


def _empty(client: Any, bucket: str) -> None:
    """Delete every version of every object, page by page."""
    while True:
        page = client.list_object_versions(Bucket=bucket, MaxKeys=MOST_DELETED)
        objects = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        ]
        if not objects:
            return
        client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})


def read_bucket(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read whether it exists."""
    return None if found(lambda: workspace.client("s3").head_bucket(Bucket=state.id)) is None else {}


def read_versioning(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the versioning status."""
    answer = found(lambda: workspace.client("s3").get_bucket_versioning(Bucket=state.id))
    if answer is None:
        return None
    return {"versioningConfiguration": {"status": answer.get("Status", "Disabled")}}


EXISTING = {
    # the rest is deleted with the bucket
    **{type_: Existing(nothing, set_again(creator)) for type_, creator in CREATORS.items()},
    "aws:s3/bucket:Bucket": Existing(delete_bucket, update_bucket, read_bucket),
    "aws:s3/bucketVersioning:BucketVersioning": Existing(
        nothing, set_again(CREATORS["aws:s3/bucketVersioning:BucketVersioning"]), read_versioning
    ),
}
