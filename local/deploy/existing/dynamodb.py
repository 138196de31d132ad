"""Existing tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.errors import UnsupportedResource
from local.deploy.existing.model import Existing, State, forget, found, pairs, update_tags
from local.deploy.workspace import Request, Workspace

#: Properties that can be updated in place here; other keys or names need a new table.
_CHANGEABLE = frozenset({"deletionProtectionEnabled", "pointInTimeRecovery", "tags", "tagsAll", "ttl"})


def update_table(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update protection, recovery, TTL and tags; the data stays.

    Raises:
        UnsupportedResource: another property changed, such as an index.
    """
    inputs, old = request.inputs, state.inputs
    changed = {key for key in {*inputs, *old} if inputs.get(key) != old.get(key)}
    if changed - _CHANGEABLE:
        raise UnsupportedResource(
            f"local runtime cannot change {', '.join(sorted(changed - _CHANGEABLE))} of {request.label}; "
            f"it can change {', '.join(sorted(_CHANGEABLE - {'tagsAll'}))}"
        )
    client, name = workspace.client("dynamodb"), state.id
    if "deletionProtectionEnabled" in changed:
        client.update_table(
            TableName=name, DeletionProtectionEnabled=bool(inputs.get("deletionProtectionEnabled", False))
        )
    if "pointInTimeRecovery" in changed:
        enabled = bool((inputs.get("pointInTimeRecovery") or {}).get("enabled", False))
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
        )
    if "ttl" in changed:
        ttl = inputs.get("ttl") or {**old["ttl"], "enabled": False}
        specification = {"AttributeName": ttl["attributeName"], "Enabled": bool(ttl.get("enabled", True))}
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=specification)
    update_tags(
        state,
        request,
        lambda tags: client.tag_resource(ResourceArn=state.outputs["arn"], Tags=pairs(tags)),
        lambda keys: client.untag_resource(ResourceArn=state.outputs["arn"], TagKeys=keys),
    )
    return state.outputs


def delete_table(workspace: Workspace, state: State) -> None:
    """Delete the table with its data; refused with deletion protection."""
    forget(lambda: workspace.client("dynamodb").delete_table(TableName=state.id))


def read_table(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read protection, recovery and TTL; keys, indexes and streams can't have changed."""
    client = workspace.client("dynamodb")
    answer = found(lambda: client.describe_table(TableName=state.id))
    if answer is None:
        return None
    live: dict[str, Any] = {"deletionProtectionEnabled": answer["Table"].get("DeletionProtectionEnabled", False)}
    backups = client.describe_continuous_backups(TableName=state.id)["ContinuousBackupsDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    live["pointInTimeRecovery"] = {**(state.inputs.get("pointInTimeRecovery") or {}), "enabled": recovery}
    if "ttl" in state.inputs:
        ttl = client.describe_time_to_live(TableName=state.id)["TimeToLiveDescription"]
        live["ttl"] = {**state.inputs["ttl"], "enabled": ttl["TimeToLiveStatus"] in ("ENABLED", "ENABLING")}
    return live


EXISTING = {"aws:dynamodb/table:Table": Existing(delete_table, update_table, read_table)}
