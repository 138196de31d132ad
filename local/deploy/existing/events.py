"""Existing buses, rules and targets. The rules of the default bus run from the deployment's list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.existing.model import Existing, State, forget, found, pairs, update_tags
from local.deploy.resources.events import rule, target
from local.deploy.workspace import Request, Workspace


def update_bus(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update tags; the description is only recorded."""
    client = workspace.client("events")
    update_tags(
        state,
        request,
        lambda tags: client.tag_resource(ResourceARN=state.outputs["arn"], Tags=pairs(tags)),
        lambda keys: client.untag_resource(ResourceARN=state.outputs["arn"], TagKeys=keys),
    )
    return state.outputs


def delete_bus(workspace: Workspace, state: State) -> None:
    """Delete the bus, whose rules must have been deleted."""
    forget(lambda: workspace.client("events").delete_event_bus(Name=state.id))


def read_bus(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read whether it exists."""
    return None if found(lambda: workspace.client("events").describe_event_bus(Name=state.id)) is None else {}


def update_rule(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update pattern, schedule and state; the targets stay."""
    rules = workspace.deployment.rules
    places = [place for place, one in enumerate(rules) if one.arn == state.outputs["arn"]]
    outputs = rule(workspace, request).outputs
    for place in places:
        changed = rules.pop()
        changed.targets.extend(rules[place].targets)
        rules[place] = changed
    return outputs


def delete_rule(workspace: Workspace, state: State) -> None:
    """Delete the rule, whose targets must have been deleted."""
    name, bus = state.outputs["name"], state.inputs.get("eventBusName", "default")
    forget(lambda: workspace.client("events").delete_rule(Name=name, EventBusName=bus))
    rules = workspace.deployment.rules
    rules[:] = [one for one in rules if one.arn != state.outputs["arn"]]


def read_rule(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read schedule and state."""
    name, bus = state.outputs["name"], state.inputs.get("eventBusName", "default")
    answer = found(lambda: workspace.client("events").describe_rule(Name=name, EventBusName=bus))
    if answer is None:
        return None
    live = {"scheduleExpression": answer.get("ScheduleExpression"), "state": answer.get("State")}
    return {key: value for key, value in live.items() if key in state.inputs and value is not None}


def delete_target(workspace: Workspace, state: State) -> None:
    """Delete the target, not its rule."""
    client, name = workspace.client("events"), state.inputs["rule"]
    bus = state.inputs.get("eventBusName", "default")
    forget(lambda: client.remove_targets(Rule=name, EventBusName=bus, Ids=[state.outputs["targetId"]]))
    for one in workspace.deployment.rules:
        if one.name == name:
            one.targets[:] = [target for target in one.targets if target.function != state.inputs["arn"]]


def update_target(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update input and retries."""
    delete_target(workspace, state)
    return target(workspace, request).outputs


EXISTING = {
    "aws:cloudwatch/eventBus:EventBus": Existing(delete_bus, update_bus, read_bus),
    "aws:cloudwatch/eventRule:EventRule": Existing(delete_rule, update_rule, read_rule),
    "aws:cloudwatch/eventTarget:EventTarget": Existing(delete_target, update_target),
}
