"""Existing queues and their policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.existing.model import (
    Delete,
    Existing,
    Read,
    State,
    forget,
    found,
    same_document,
    set_again,
    update_tags,
)
from local.deploy.resources.sqs import ATTRIBUTES, CREATORS, attribute_text
from local.deploy.workspace import Request, Workspace

_NUMBERS = frozenset(
    {
        "delaySeconds",
        "kmsDataKeyReusePeriodSeconds",
        "maxMessageSize",
        "messageRetentionSeconds",
        "receiveWaitTimeSeconds",
        "visibilityTimeoutSeconds",
    }
)
_DOCUMENTS = frozenset({"policy", "redriveAllowPolicy", "redrivePolicy"})


def update_queue(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update attributes and tags. Documents no longer declared are removed; other attributes keep their value."""
    client = workspace.client("sqs")
    inputs, old = request.inputs, state.inputs
    attributes = {
        ATTRIBUTES[key]: attribute_text(value)
        for key, value in inputs.items()
        if key in ATTRIBUTES and old.get(key) != value
    }
    attributes |= {ATTRIBUTES[key]: "" for key in _DOCUMENTS if key in old and key not in inputs}
    if attributes:
        client.set_queue_attributes(QueueUrl=state.id, Attributes=attributes)
    update_tags(
        state,
        request,
        lambda tags: client.tag_queue(QueueUrl=state.id, Tags=tags),
        lambda keys: client.untag_queue(QueueUrl=state.id, TagKeys=keys),
    )
    return state.outputs


def delete_queue(workspace: Workspace, state: State) -> None:
    """Delete the queue with its messages."""
    forget(lambda: workspace.client("sqs").delete_queue(QueueUrl=state.id))


def read_queue(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the declared attributes."""
    live = _attributes(workspace, state)
    if live is None:
        return None
    return {
        key: _value(key, state.inputs[key], live[ATTRIBUTES[key]])
        for key in state.inputs
        if key in ATTRIBUTES and ATTRIBUTES[key] in live
    }


def _attributes(workspace: Workspace, state: State) -> Mapping[str, str] | None:
    client = workspace.client("sqs")
    answer = found(lambda: client.get_queue_attributes(QueueUrl=state.id, AttributeNames=["All"]))
    attributes: Mapping[str, str] | None = None if answer is None else answer.get("Attributes", {})
    return attributes


def _value(key: str, declared: Any, live: str) -> Any:
    if key in _NUMBERS:
        return int(live)
    if key in _DOCUMENTS:
        return same_document(declared, live)
    return live.lower() == "true" if isinstance(declared, bool) else live


def _document(property_name: str) -> tuple[Delete, Read]:
    """Functions that delete and read a queue's document that is a separate resource."""
    attribute = ATTRIBUTES[property_name]

    def delete(workspace: Workspace, state: State) -> None:
        client = workspace.client("sqs")
        forget(lambda: client.set_queue_attributes(QueueUrl=state.id, Attributes={attribute: ""}))

    def read(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
        live = _attributes(workspace, state)
        if not live or not live.get(attribute):
            return None
        return {property_name: same_document(state.inputs[property_name], live[attribute])}

    return delete, read


def _documents() -> dict[str, Existing]:
    kinds = {
        "aws:sqs/queuePolicy:QueuePolicy": "policy",
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": "redriveAllowPolicy",
        "aws:sqs/redrivePolicy:RedrivePolicy": "redrivePolicy",
    }
    existing = {}
    for type_, property_name in kinds.items():
        delete, read = _document(property_name)
        existing[type_] = Existing(delete, set_again(CREATORS[type_]), read)
    return existing


EXISTING = {"aws:sqs/queue:Queue": Existing(delete_queue, update_queue, read_queue), **_documents()}
