"""EventBridge: buses, and rules of the default bus with their targets, which are functions."""

from __future__ import annotations

import json

from local.deploy.errors import DeployError, UnsupportedResource
from local.deploy.workspace import Created, Creator, Request, Workspace, json_text
from local.sources.eventbridge import Rule, Target, rate_seconds
from local.sources.filters import Pattern


def bus(workspace: Workspace, request: Request) -> Created:
    """A bus for other projects' rules. The endpoint itself matches its events and delivers them to queues."""
    request.known("description", "name")
    name = workspace.physical_name(request)
    tags = [{"Key": key, "Value": value} for key, value in workspace.tags(request).items()]
    arn = workspace.client("events").create_event_bus(Name=name, Tags=tags)["EventBusArn"]
    return Created(name, {"name": name, "arn": arn})


def rule(workspace: Workspace, request: Request) -> Created:
    """A pattern or a ``rate(...)`` schedule."""
    request.known("description", "eventBusName", "eventPattern", "name", "scheduleExpression", "state")
    inputs = request.inputs
    _default_bus(request)
    name = workspace.physical_name(request)
    pattern, schedule = inputs.get("eventPattern"), inputs.get("scheduleExpression")
    enabled = inputs.get("state", "ENABLED") == "ENABLED"
    arguments = {
        "Name": name,
        "State": "ENABLED" if enabled else "DISABLED",
        "Description": inputs.get("description", ""),
    }
    if pattern is not None:
        pattern = json_text(pattern)
        Pattern(pattern, nested_anything_but=True)
        arguments["EventPattern"] = pattern
    if schedule is not None:
        rate_seconds(schedule)
        arguments["ScheduleExpression"] = schedule
    arn = workspace.client("events").put_rule(**arguments)["RuleArn"]
    workspace.deployment.rules.append(Rule(name, arn, pattern, schedule, enabled))
    return Created(name, {"name": name, "arn": arn})


def target(workspace: Workspace, request: Request) -> Created:
    """A function that a rule calls. Delivery to it can't fail here, so retry policy and dead-letter queue are idle."""
    request.known("arn", "deadLetterConfig", "eventBusName", "input", "retryPolicy", "rule", "targetId")
    inputs = request.inputs
    _default_bus(request)
    arn, rule_name = str(inputs["arn"]), str(inputs["rule"])
    if ":lambda:" not in arn:
        raise UnsupportedResource(f"target {arn} of {request.label} is not supported; allowed: a Lambda function")
    declared = next((one for one in workspace.deployment.rules if one.name == rule_name), None)
    if declared is None:
        raise DeployError(f"{request.label} belongs to rule {rule_name!r}, which the program doesn't declare")
    target_id = str(inputs.get("targetId", request.name))
    entry = {"Id": target_id, "Arn": arn}
    if "input" in inputs:
        entry["Input"] = inputs["input"]
    workspace.client("events").put_targets(Rule=rule_name, Targets=[entry])
    declared.targets.append(Target(arn, json.loads(inputs["input"]) if "input" in inputs else None))
    return Created(f"{rule_name}-{target_id}", {"targetId": target_id})


def _default_bus(request: Request) -> None:
    bus = request.inputs.get("eventBusName", "default")
    if bus != "default":
        raise UnsupportedResource(f"eventBusName {bus!r} of {request.label} is not supported; allowed: default")


CREATORS: dict[str, Creator] = {
    "aws:cloudwatch/eventBus:EventBus": bus,
    "aws:cloudwatch/eventRule:EventRule": rule,
    "aws:cloudwatch/eventTarget:EventTarget": target,
}
