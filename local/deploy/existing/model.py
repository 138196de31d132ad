"""Operations on existing resources: read, update in place, delete."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.deploy.workspace import Creator, Request, Workspace

#: Error codes of services for a resource that doesn't exist.
ABSENT = frozenset(
    {
        "404",
        "AWS.SimpleQueueService.NonExistentQueue",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "StateMachineDoesNotExist",
    }
)


@dataclass(frozen=True)
class State:
    """A resource in the engine's state: its id, the program's inputs, and the additional outputs of its creation."""

    type: str
    name: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


#: Updates a resource to the requested inputs; returns its additional outputs.
Update = Callable[[Workspace, State, Request], Mapping[str, Any]]
Delete = Callable[[Workspace, State], None]
#: Returns current values of declared properties, without unreadable ones; None if the resource doesn't exist.
Read = Callable[[Workspace, State], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Existing:
    """One type's functions.

    Attributes:
        update: None for types that are replaced by every change.
        read: None for resources that the endpoint only records, which can't be changed outside the engine.
    """

    delete: Delete
    update: Update | None = None
    read: Read | None = None


def is_absent(error: ClientError) -> bool:
    """Whether the error says that the resource doesn't exist."""
    return str(error.response["Error"]["Code"]) in ABSENT


def found(call: Callable[[], Any]) -> Any | None:
    """The result of ``call``; None if the resource doesn't exist."""
    try:
        return call()
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def forget(call: Callable[[], Any]) -> None:
    """Delete a resource, if it exists."""
    found(call)


def nothing(workspace: Workspace, state: State) -> None:
    """Delete a resource that is only recorded, or is deleted with the resource it belongs to."""


def set_again(creator: Creator) -> Update:
    """Update by the creating call, for services where it replaces the existing resource."""

    def update(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
        return creator(workspace, request).outputs

    return update


def same_document(declared: Any, live: Any) -> Any:
    """The declared document if the live one is equal as JSON, else the live one as text."""
    text = live if isinstance(live, str) else json.dumps(live)
    declared_text = declared if isinstance(declared, str) else json.dumps(declared)
    try:
        same = bool(json.loads(text) == json.loads(declared_text))
    except ValueError:
        same = text == declared_text
    return declared if same else text


def update_tags(
    state: State,
    request: Request,
    add: Callable[[dict[str, str]], object],
    remove: Callable[[list[str]], object],
) -> None:
    """Update tags from the old inputs to the new ones by the service's two calls, each only if needed."""
    before, after = state.inputs.get("tags") or {}, request.inputs.get("tags") or {}
    added = {str(key): str(value) for key, value in after.items() if before.get(key) != value}
    removed = sorted(str(key) for key in before if key not in after)
    if added:
        add(added)
    if removed:
        remove(removed)


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags in the form of most services."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
