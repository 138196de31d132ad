"""Alarms and dashboards: only recorded, since there are no metrics here."""

from __future__ import annotations

from local.deploy.workspace import Created, Creator, Request, Workspace


def metric_alarm(workspace: Workspace, request: Request) -> Created:
    """An alarm."""
    name = workspace.physical_name(request)
    return Created(name, {"name": name, "arn": workspace.arn("cloudwatch", f"alarm:{name}")})


def dashboard(workspace: Workspace, request: Request) -> Created:
    """A dashboard."""
    name = workspace.physical_name(request, "dashboardName")
    return Created(
        name, {"dashboardArn": f"arn:{workspace.partition}:cloudwatch::{workspace.account_id}:dashboard/{name}"}
    )


CREATORS: dict[str, Creator] = {
    "aws:cloudwatch/dashboard:Dashboard": dashboard,
    "aws:cloudwatch/metricAlarm:MetricAlarm": metric_alarm,
}
