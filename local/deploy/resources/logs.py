"""Log groups: only created to be listed; functions log to the process's logger."""

from __future__ import annotations

from local.deploy.workspace import Created, Creator, Request, Workspace


def log_group(workspace: Workspace, request: Request) -> Created:
    """A log group with its retention."""
    request.known("kmsKeyId", "logGroupClass", "name", "retentionInDays", "skipDestroy")
    name = workspace.physical_name(request)
    client = workspace.client("logs")
    key = {"kmsKeyId": request.inputs["kmsKeyId"]} if "kmsKeyId" in request.inputs else {}
    client.create_log_group(logGroupName=name, tags=workspace.tags(request), **key)
    days = request.inputs.get("retentionInDays", 0)
    if days:
        client.put_retention_policy(logGroupName=name, retentionInDays=days)
    return Created(name, {"name": name, "arn": workspace.arn("logs", f"log-group:{name}")})


def resource_policy(workspace: Workspace, request: Request) -> Created:
    """A policy of log groups: only recorded, without effect here."""
    return Created(str(request.inputs["policyName"]))


CREATORS: dict[str, Creator] = {
    "aws:cloudwatch/logGroup:LogGroup": log_group,
    "aws:cloudwatch/logResourcePolicy:LogResourcePolicy": resource_policy,
}
