"""What can happen to a resource that exists: it is read, updated in place, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from local.deploy.workspace import Creator, Request, Workspace

#: Codes by which services say that something isn't there.
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
    """A resource as the engine's state has it: its id, what the program gave and what creation answered besides."""

    type: str
    name: str
    id: str
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]


#: Brings a resource to what the request declares; answers the outputs that it has besides its inputs.
Update = Callable[[Workspace, State, Request], Mapping[str, Any]]
Delete = Callable[[Workspace, State], None]
#: The declared properties as they are now; None if the resource is gone. Properties that can't be read are left out.
Read = Callable[[Workspace, State], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Existing:
    """One type's functions.

    Attributes:
        update: None for types of which every change is a replacement.
        read: None for what the endpoint only records, which nobody can change behind the engine's back.
    """

    delete: Delete
    update: Update | None = None
    read: Read | None = None


def is_absent(error: ClientError) -> bool:
    """Whether the service says that the resource isn't there."""
    return str(error.response["Error"]["Code"]) in ABSENT


def found(call: Callable[[], Any]) -> Any | None:
    """What ``call`` answers, None if the resource isn't there."""
    try:
        return call()
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def forget(call: Callable[[], Any]) -> None:
    """Delete something; that it is gone already is as good."""
    found(call)


def nothing(workspace: Workspace, state: State) -> None:
    """Delete what is only recorded, or goes with the resource that it belongs to."""


def set_again(creator: Creator) -> Update:
    """Update with the call that creates, where that call replaces what is there."""

    def update(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
        return creator(workspace, request).outputs

    return update


def same_document(declared: Any, live: Any) -> Any:
    """The declared text if the live document says the same, else the live one as text."""
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
    """Bring tags from the old inputs to the new ones by the service's two calls, each only where there is something."""
    before, after = state.inputs.get("tags") or {}, request.inputs.get("tags") or {}
    added = {str(key): str(value) for key, value in after.items() if before.get(key) != value}
    removed = sorted(str(key) for key in before if key not in after)
    if added:
        add(added)
    if removed:
        remove(removed)


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]
