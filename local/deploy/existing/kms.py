"""Existing KMS keys and their aliases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.existing.model import Existing, State, forget, found, same_document, update_tags
from local.deploy.resources.kms import alias
from local.deploy.workspace import Request, Workspace, document, json_text

#: KMS's default (API reference, ScheduleKeyDeletion).
DELETION_DAYS = 30


def update_key(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update policy, rotation and tags; the description is only recorded."""
    client, inputs = workspace.client("kms"), request.inputs
    if inputs.get("policy") != state.inputs.get("policy") and "policy" in inputs:
        document(inputs["policy"], request, "policy")
        client.put_key_policy(KeyId=state.id, PolicyName="default", Policy=json_text(inputs["policy"]))
    if inputs.get("enableKeyRotation"):
        client.enable_key_rotation(KeyId=state.id)
    else:
        client.disable_key_rotation(KeyId=state.id)
    update_tags(
        state,
        request,
        lambda tags: client.tag_resource(
            KeyId=state.id, Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()]
        ),
        lambda keys: client.untag_resource(KeyId=state.id, TagKeys=keys),
    )
    return state.outputs


def delete_key(workspace: Workspace, state: State) -> None:
    """Schedule the key's deletion; KMS deletes it after a waiting period."""
    days = state.inputs.get("deletionWindowInDays", DELETION_DAYS)
    forget(lambda: workspace.client("kms").schedule_key_deletion(KeyId=state.id, PendingWindowInDays=days))


def read_key(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read policy and rotation; a key that is pending deletion counts as deleted."""
    client = workspace.client("kms")
    answer = found(lambda: client.describe_key(KeyId=state.id))
    if answer is None or answer["KeyMetadata"]["KeyState"] == "PendingDeletion":
        return None
    live = client.get_key_policy(KeyId=state.id, PolicyName="default")["Policy"]
    return {
        "policy": same_document(state.inputs.get("policy", live), live),
        "enableKeyRotation": client.get_key_rotation_status(KeyId=state.id)["KeyRotationEnabled"],
    }


def delete_alias(workspace: Workspace, state: State) -> None:
    """Delete the alias, not its key."""
    forget(lambda: workspace.client("kms").delete_alias(AliasName=state.id))


def update_alias(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update the key."""
    delete_alias(workspace, state)
    return alias(workspace, request).outputs


EXISTING = {
    "aws:kms/alias:Alias": Existing(delete_alias, update_alias),
    "aws:kms/key:Key": Existing(delete_key, update_key, read_key),
}
