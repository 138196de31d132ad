"""Existing state machines. Executions continue with the definition that they were started with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.existing.model import Existing, State, forget, found, same_document, update_tags
from local.deploy.resources.sfn import machine_settings
from local.deploy.workspace import Request, Workspace


def update_machine(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update definition, role, logging, tracing and tags."""
    client = workspace.client("stepfunctions")
    client.update_state_machine(stateMachineArn=state.id, **machine_settings(request))
    update_tags(
        state,
        request,
        lambda tags: client.tag_resource(resourceArn=state.id, tags=[{"key": one, "value": tags[one]} for one in tags]),
        lambda keys: client.untag_resource(resourceArn=state.id, tagKeys=keys),
    )
    return state.outputs


def delete_machine(workspace: Workspace, state: State) -> None:
    """Delete the machine, which ends its executions."""
    forget(lambda: workspace.client("stepfunctions").delete_state_machine(stateMachineArn=state.id))


def read_machine(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read definition and role."""
    client = workspace.client("stepfunctions")
    answer = found(lambda: client.describe_state_machine(stateMachineArn=state.id))
    if answer is None:
        return None
    definition = same_document(state.inputs["definition"], answer["definition"])
    return {"definition": definition, "roleArn": answer["roleArn"]}


EXISTING = {"aws:sfn/stateMachine:StateMachine": Existing(delete_machine, update_machine, read_machine)}
