"""Roles and policies. They aren't enforced; each role's documents are collected for tests that compare them."""

from __future__ import annotations

from local.deploy.errors import UnsupportedResource
from local.deploy.workspace import Created, Creator, Request, Workspace, document, json_text


def role(workspace: Workspace, request: Request) -> Created:
    """A role with its inline policies."""
    request.known(
        "assumeRolePolicy", "description", "forceDetachPolicies", "inlinePolicies", "maxSessionDuration", "name", "path"
    )
    name = workspace.physical_name(request)
    client = workspace.client("iam")
    document(request.inputs["assumeRolePolicy"], request, "assumeRolePolicy")
    description = client.create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json_text(request.inputs["assumeRolePolicy"]),
        Path=request.inputs.get("path", "/"),
        Description=request.inputs.get("description", ""),
        Tags=[{"Key": key, "Value": value} for key, value in workspace.tags(request).items()],
    )["Role"]
    documents = workspace.role_documents.setdefault(name, [])
    for inline in request.inputs.get("inlinePolicies", []):
        documents.append(document(inline["policy"], request, "inlinePolicies"))
        client.put_role_policy(RoleName=name, PolicyName=inline["name"], PolicyDocument=json_text(inline["policy"]))
    return Created(name, {"name": name, "arn": description["Arn"], "uniqueId": description["RoleId"]})


def role_policy(workspace: Workspace, request: Request) -> Created:
    """A policy inside of a role."""
    request.known("name", "policy", "role")
    name, role_name = workspace.physical_name(request), str(request.inputs["role"])
    parsed = document(request.inputs["policy"], request, "policy")
    workspace.client("iam").put_role_policy(
        RoleName=role_name, PolicyName=name, PolicyDocument=json_text(request.inputs["policy"])
    )
    workspace.role_documents.setdefault(role_name, []).append(parsed)
    return Created(f"{role_name}:{name}", {"name": name})


def policy(workspace: Workspace, request: Request) -> Created:
    """A managed policy."""
    request.known("description", "name", "path", "policy")
    name = workspace.physical_name(request)
    document(request.inputs["policy"], request, "policy")
    arn = workspace.client("iam").create_policy(
        PolicyName=name, PolicyDocument=json_text(request.inputs["policy"]), Path=request.inputs.get("path", "/")
    )["Policy"]["Arn"]
    return Created(arn, {"name": name, "arn": arn})


def attachment(workspace: Workspace, request: Request) -> Created:
    """The attachment of the program's own policy to a role. AWS's managed policies are unknown here."""
    request.known("policyArn", "role")
    role_name, arn = str(request.inputs["role"]), str(request.inputs["policyArn"])
    if arn.split(":")[4] == "aws":
        raise UnsupportedResource(f"{request.label} attaches {arn}: AWS managed policies are not known locally")
    client = workspace.client("iam")
    client.attach_role_policy(RoleName=role_name, PolicyArn=arn)
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    parsed = client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    workspace.role_documents.setdefault(role_name, []).append(parsed)
    return Created(f"{role_name}-{arn}")


CREATORS: dict[str, Creator] = {
    "aws:iam/policy:Policy": policy,
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicy:RolePolicy": role_policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": attachment,
}
