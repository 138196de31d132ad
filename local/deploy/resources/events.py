"""EventBridge buses and rules, with functions as targets on the default bus, and queues on others."""

from __future__ import annotations

import json

from local.deploy.errors import DeployError, UnsupportedResource
from local.deploy.workspace import Created, Creator, Request, Workspace, json_text
from local.sources.eventbridge import Rule, Target, rate_seconds
from local.sources.filters import Pattern

DEFAULT_BUS = "default"


def bus(workspace: Workspace, request: Request) -> Created:
    """A bus for other projects' rules. The endpoint itself matches its events and delivers them to queues."""
    request.known("description", "name")
    name = workspace.physical_name(request)
    tags = [{"Key": key, "Value": value} for key, value in workspace.tags(request).items()]
    arn = workspace.client("events").create_event_bus(Name=name, Tags=tags)["EventBusArn"]
    return Created(name, {"name": name, "arn": arn})


def rule(workspace: Workspace, request: Request) -> Created:
    """A rule with a pattern or a ``rate(...)`` schedule; on other buses only a pattern, which the endpoint matches."""
    request.known("description", "eventBusName", "eventPattern", "name", "scheduleExpression", "state")
    inputs = request.inputs
    bus = _bus(request)
    name = workspace.physical_name(request)
    pattern, schedule = inputs.get("eventPattern"), inputs.get("scheduleExpression")
    enabled = inputs.get("state", "ENABLED") == "ENABLED"
    arguments = {
        "Name": name,
        "EventBusName": bus,
        "State": "ENABLED" if enabled else "DISABLED",
        "Description": inputs.get("description", ""),
    }
    if pattern is not None:
        pattern = json_text(pattern)
        Pattern(pattern, nested_anything_but=True)
        arguments["EventPattern"] = pattern
    if schedule is not None:
        if bus != DEFAULT_BUS:
            raise UnsupportedResource(f"{request.label} has a schedule; only rules of the default bus have one")
        rate_seconds(schedule)
        arguments["ScheduleExpression"] = schedule
    arn = workspace.client("events").put_rule(**arguments)["RuleArn"]
    if bus == DEFAULT_BUS:
        workspace.deployment.rules.append(Rule(name, arn, pattern, schedule, enabled))
    return Created(name, {"name": name, "arn": arn})


def target(workspace: Workspace, request: Request) -> Created:
    """A rule's target: on the default bus a function, on others a queue, to which the endpoint delivers.

    Delivery to a function can't fail here, so retry policy and dead-letter queue have no effect.
    """
    request.known("arn", "deadLetterConfig", "eventBusName", "input", "retryPolicy", "rule", "targetId")
    inputs = request.inputs
    bus, arn, rule_name = _bus(request), str(inputs["arn"]), str(inputs["rule"])
    service, allowed = (":lambda:", "a Lambda function") if bus == DEFAULT_BUS else (":sqs:", "an SQS queue")
    if service not in arn:
        raise UnsupportedResource(f"target {arn} of {request.label} is not supported; allowed: {allowed}")
    declared = next((one for one in workspace.deployment.rules if one.name == rule_name), None)
    if declared is None and bus == DEFAULT_BUS:
        raise DeployError(f"{request.label} belongs to rule {rule_name!r}, which the program doesn't declare")
    target_id = str(inputs.get("targetId", request.name))
    entry = {"Id": target_id, "Arn": arn}
    if "input" in inputs:
        entry["Input"] = inputs["input"]
    workspace.client("events").put_targets(Rule=rule_name, EventBusName=bus, Targets=[entry])
    if declared is not None:
        declared.targets.append(Target(arn, json.loads(inputs["input"]) if "input" in inputs else None))
    return Created(f"{rule_name}-{target_id}", {"targetId": target_id})


def _bus(request: Request) -> str:
    return str(request.inputs.get("eventBusName", DEFAULT_BUS))


CREATORS: dict[str, Creator] = {
    "aws:cloudwatch/eventBus:EventBus": bus,
    "aws:cloudwatch/eventRule:EventRule": rule,
    "aws:cloudwatch/eventTarget:EventTarget": target,
}
