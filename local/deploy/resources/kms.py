"""KMS keys. They can be listed and referred to, but encrypt nothing here, and their policies aren't enforced."""

from __future__ import annotations

from local.deploy.workspace import Created, Creator, Request, Workspace, document, json_text


def key(workspace: Workspace, request: Request) -> Created:
    """A key with its policy."""
    request.known("deletionWindowInDays", "description", "enableKeyRotation", "policy")
    inputs = request.inputs
    client = workspace.client("kms")
    arguments = {"Policy": json_text(inputs["policy"])} if "policy" in inputs else {}
    if arguments:
        document(inputs["policy"], request, "policy")
    made = client.create_key(
        Description=inputs.get("description", ""),
        Tags=[{"TagKey": name, "TagValue": value} for name, value in workspace.tags(request).items()],
        **arguments,
    )["KeyMetadata"]
    if inputs.get("enableKeyRotation"):
        client.enable_key_rotation(KeyId=made["KeyId"])
    return Created(made["KeyId"], {"arn": made["Arn"], "keyId": made["KeyId"]})


def alias(workspace: Workspace, request: Request) -> Created:
    """An alias of a key."""
    request.known("name", "targetKeyId")
    name, target = str(request.inputs["name"]), str(request.inputs["targetKeyId"])
    workspace.client("kms").create_alias(AliasName=name, TargetKeyId=target)
    outputs = {
        "name": name,
        "arn": workspace.arn("kms", name),
        "targetKeyArn": workspace.arn("kms", f"key/{target}"),
    }
    return Created(name, outputs)


CREATORS: dict[str, Creator] = {"aws:kms/alias:Alias": alias, "aws:kms/key:Key": key}
