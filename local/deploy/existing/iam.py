"""Existing roles and policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.existing.model import Existing, State, forget, found, pairs, same_document, update_tags
from local.deploy.resources.iam import role_policy
from local.deploy.workspace import Request, Workspace, document, json_text


def update_role(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update trust policy and tags."""
    client = workspace.client("iam")
    trust = request.inputs["assumeRolePolicy"]
    document(trust, request, "assumeRolePolicy")
    client.update_assume_role_policy(RoleName=state.id, PolicyDocument=json_text(trust))
    update_tags(
        state,
        request,
        lambda tags: client.tag_role(RoleName=state.id, Tags=pairs(tags)),
        lambda keys: client.untag_role(RoleName=state.id, TagKeys=keys),
    )
    return state.outputs


def delete_role(workspace: Workspace, state: State) -> None:
    """Delete the role, whose policies must have been deleted."""
    forget(lambda: workspace.client("iam").delete_role(RoleName=state.id))
    workspace.role_documents.pop(state.id, None)


def read_role(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the trust policy."""
    client = workspace.client("iam")
    answer = found(lambda: client.get_role(RoleName=state.id))
    if answer is None:
        return None
    declared = state.inputs["assumeRolePolicy"]
    return {"assumeRolePolicy": same_document(declared, answer["Role"]["AssumeRolePolicyDocument"])}


def update_role_policy(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update the document."""
    _forget_document(workspace, state)
    return role_policy(workspace, request).outputs


def delete_role_policy(workspace: Workspace, state: State) -> None:
    """Delete the policy, not its role."""
    client = workspace.client("iam")
    forget(lambda: client.delete_role_policy(RoleName=state.inputs["role"], PolicyName=state.outputs["name"]))
    _forget_document(workspace, state)


def read_role_policy(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the document."""
    client = workspace.client("iam")
    answer = found(lambda: client.get_role_policy(RoleName=state.inputs["role"], PolicyName=state.outputs["name"]))
    if answer is None:
        return None
    return {"policy": same_document(state.inputs["policy"], answer["PolicyDocument"])}


def delete_policy(workspace: Workspace, state: State) -> None:
    """Delete the policy, which must not be attached anywhere."""
    forget(lambda: workspace.client("iam").delete_policy(PolicyArn=state.id))


def delete_attachment(workspace: Workspace, state: State) -> None:
    """Detach the policy; role and policy stay."""
    client = workspace.client("iam")
    forget(lambda: client.detach_role_policy(RoleName=state.inputs["role"], PolicyArn=state.inputs["policyArn"]))


def _forget_document(workspace: Workspace, state: State) -> None:
    request = Request(state.type, state.name, state.inputs)
    parsed = document(state.inputs["policy"], request, "policy")
    documents = workspace.role_documents.get(state.inputs["role"], [])
    if parsed in documents:
        documents.remove(parsed)


EXISTING = {
    "aws:iam/policy:Policy": Existing(delete_policy),
    "aws:iam/role:Role": Existing(delete_role, update_role, read_role),
    "aws:iam/rolePolicy:RolePolicy": Existing(delete_role_policy, update_role_policy, read_role_policy),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Existing(delete_attachment),
}
