"""Existing topics, their policies and subscriptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.deploy.existing.model import (
    Existing,
    State,
    forget,
    found,
    nothing,
    pairs,
    same_document,
    set_again,
    update_tags,
)
from local.deploy.resources.sns import ATTRIBUTES, SUBSCRIPTION, topic_policy
from local.deploy.workspace import Request, Workspace, json_text


def update_topic(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update attributes and tags."""
    client = workspace.client("sns")
    for attribute, value in _changed(state, request, ATTRIBUTES):
        client.set_topic_attributes(TopicArn=state.id, AttributeName=attribute, AttributeValue=value)
    update_tags(
        state,
        request,
        lambda tags: client.tag_resource(ResourceArn=state.id, Tags=pairs(tags)),
        lambda keys: client.untag_resource(ResourceArn=state.id, TagKeys=keys),
    )
    return state.outputs


def delete_topic(workspace: Workspace, state: State) -> None:
    """Delete the topic with its subscriptions."""
    forget(lambda: workspace.client("sns").delete_topic(TopicArn=state.id))


def read_topic(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the declared attributes."""
    client = workspace.client("sns")
    answer = found(lambda: client.get_topic_attributes(TopicArn=state.id))
    return None if answer is None else _live(state, answer["Attributes"], ATTRIBUTES)


def update_subscription(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update filter and delivery settings; another topic, protocol or endpoint needs a new subscription."""
    client = workspace.client("sns")
    for attribute, value in _changed(state, request, SUBSCRIPTION):
        client.set_subscription_attributes(SubscriptionArn=state.id, AttributeName=attribute, AttributeValue=value)
    return state.outputs


def delete_subscription(workspace: Workspace, state: State) -> None:
    """Delete the subscription."""
    forget(lambda: workspace.client("sns").unsubscribe(SubscriptionArn=state.id))


def read_subscription(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the declared attributes."""
    client = workspace.client("sns")
    answer = found(lambda: client.get_subscription_attributes(SubscriptionArn=state.id))
    return None if answer is None else _live(state, answer["Attributes"], SUBSCRIPTION)


def _changed(state: State, request: Request, names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Changed attributes and their new values; empty text for those that are no longer declared."""
    for key, attribute in names.items():
        if state.inputs.get(key) != request.inputs.get(key):
            yield attribute, json_text(request.inputs.get(key, ""))


def _live(state: State, attributes: Mapping[str, str], names: Mapping[str, str]) -> dict[str, Any]:
    live: dict[str, Any] = {}
    for key, declared in state.inputs.items():
        value = attributes.get(names.get(key, ""))
        if value is None:
            continue
        if isinstance(declared, bool):
            live[key] = value.lower() == "true"
        else:
            live[key] = same_document(declared, value)
    return live


EXISTING = {
    "aws:sns/topic:Topic": Existing(delete_topic, update_topic, read_topic),
    "aws:sns/topicPolicy:TopicPolicy": Existing(nothing, set_again(topic_policy)),
    "aws:sns/topicSubscription:TopicSubscription": Existing(
        delete_subscription, update_subscription, read_subscription
    ),
}
