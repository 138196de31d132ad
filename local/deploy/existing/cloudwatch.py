"""Existing alarms, dashboards and log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.errors import UnsupportedResource
from local.deploy.existing.model import Existing, State, forget, nothing, set_again, update_tags
from local.deploy.resources.cloudwatch import dashboard, metric_alarm
from local.deploy.resources.logs import resource_policy
from local.deploy.workspace import Request, Workspace


def update_log_group(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update retention and tags.

    Raises:
        UnsupportedResource: another key, which the endpoint can't set for an existing log group.
    """
    if request.inputs.get("kmsKeyId") != state.inputs.get("kmsKeyId"):
        raise UnsupportedResource(f"local runtime cannot change kmsKeyId of {request.label}")
    client = workspace.client("logs")
    days = request.inputs.get("retentionInDays", 0)
    if days != state.inputs.get("retentionInDays", 0):
        if days:
            client.put_retention_policy(logGroupName=state.id, retentionInDays=days)
        else:
            client.delete_retention_policy(logGroupName=state.id)
    arn = state.outputs["arn"]
    update_tags(
        state,
        request,
        lambda tags: client.tag_resource(resourceArn=arn, tags=tags),
        lambda keys: client.untag_resource(resourceArn=arn, tagKeys=keys),
    )
    return state.outputs


def delete_log_group(workspace: Workspace, state: State) -> None:
    """Delete the log group with its logs."""
    forget(lambda: workspace.client("logs").delete_log_group(logGroupName=state.id))


def read_log_group(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the retention."""
    groups = workspace.client("logs").describe_log_groups(logGroupNamePrefix=state.id)["logGroups"]
    group = next((one for one in groups if one["logGroupName"] == state.id), None)
    if group is None:
        return None
    return {"retentionInDays": group.get("retentionInDays", 0)} if "retentionInDays" in state.inputs else {}


EXISTING = {
    "aws:cloudwatch/dashboard:Dashboard": Existing(nothing, set_again(dashboard)),
    "aws:cloudwatch/logGroup:LogGroup": Existing(delete_log_group, update_log_group, read_log_group),
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": Existing(nothing, set_again(resource_policy)),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Existing(nothing, set_again(metric_alarm)),
}
