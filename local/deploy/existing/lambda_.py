"""Existing functions, permissions and event source mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.deploy.existing.model import Existing, State, forget, found, nothing, set_again, update_tags
from local.deploy.resources.lambda_ import (
    UNRESERVED,
    declared_mapping,
    event_invoke_config,
    function_settings,
    function_spec,
)
from local.deploy.workspace import Request, Workspace


def update_function(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update code, configuration and reserved concurrency; the next call is a cold start."""
    client = workspace.client("lambda")
    code = workspace.archives.unpack(request.inputs.get("code"), request.label)
    settings = function_settings(request.inputs)
    client.update_function_configuration(FunctionName=state.id, **settings)
    client.update_function_code(FunctionName=state.id, ZipFile=code.zip)
    reserved = request.inputs.get("reservedConcurrentExecutions", UNRESERVED)
    if reserved != state.inputs.get("reservedConcurrentExecutions", UNRESERVED):
        if reserved == UNRESERVED:
            client.delete_function_concurrency(FunctionName=state.id)
        else:
            client.put_function_concurrency(FunctionName=state.id, ReservedConcurrentExecutions=reserved)
    arn = state.outputs["arn"]
    update_tags(
        state,
        request,
        lambda tags: client.tag_resource(Resource=arn, Tags=tags),
        lambda keys: client.untag_resource(Resource=arn, TagKeys=keys),
    )
    spec = function_spec(workspace, state.id, arn, request.inputs, code.folder)
    workspace.context.functions.update(spec)
    workspace.deployment.functions[spec.name] = spec
    return state.outputs


def delete_function(workspace: Workspace, state: State) -> None:
    """Delete the function; its event source mappings and permissions are separate resources."""
    forget(lambda: workspace.client("lambda").delete_function(FunctionName=state.id))
    if workspace.deployment.functions.pop(state.id, None) is not None:
        workspace.context.functions.unregister(state.id)


def read_function(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the configuration; the code can't be compared with the declared one."""
    client = workspace.client("lambda")
    answer = found(lambda: client.get_function_configuration(FunctionName=state.id))
    if answer is None:
        return None
    live = {"memorySize": answer["MemorySize"], "timeout": answer["Timeout"], "handler": answer["Handler"]}
    return {key: value for key, value in live.items() if key in state.inputs}


def delete_permission(workspace: Workspace, state: State) -> None:
    """Delete the permission, not its function."""
    client, function = workspace.client("lambda"), state.inputs["function"]
    forget(lambda: client.remove_permission(FunctionName=function, StatementId=state.outputs["statementId"]))
    workspace.permissions.discard((str(function).rsplit(":", 1)[-1], str(state.inputs["principal"])))


def update_mapping(workspace: Workspace, state: State, request: Request) -> Mapping[str, Any]:
    """Update batches, filters and retries; the position in the stream or queue stays."""
    mapping = declared_mapping(workspace, request)
    workspace.client("lambda").update_event_source_mapping(
        UUID=state.id, FunctionName=mapping.function, BatchSize=mapping.batch_size, Enabled=mapping.enabled
    )
    mappings = workspace.deployment.event_source_mappings
    mappings[:] = [mapping if one.id == mapping.id else one for one in mappings]
    return state.outputs


def delete_mapping(workspace: Workspace, state: State) -> None:
    """Delete the mapping, which stops reading."""
    forget(lambda: workspace.client("lambda").delete_event_source_mapping(UUID=state.id))
    gone = declared_mapping(workspace, Request(state.type, state.name, state.inputs)).id
    mappings = workspace.deployment.event_source_mappings
    mappings[:] = [one for one in mappings if one.id != gone]


def read_mapping(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read the batch size."""
    client = workspace.client("lambda")
    answer = found(lambda: client.get_event_source_mapping(UUID=state.id))
    if answer is None:
        return None
    return {"batchSize": answer["BatchSize"]} if "batchSize" in state.inputs else {}


def delete_event_invoke_config(workspace: Workspace, state: State) -> None:
    """Delete the settings; Lambda's defaults apply again."""
    forget(lambda: workspace.client("lambda").delete_function_event_invoke_config(FunctionName=state.id))
    workspace.deployment.async_settings.pop(state.id, None)


def read_event_invoke_config(workspace: Workspace, state: State) -> Mapping[str, Any] | None:
    """Read retries, age and destination."""
    client = workspace.client("lambda")
    answer = found(lambda: client.get_function_event_invoke_config(FunctionName=state.id))
    if answer is None:
        return None
    failing = answer.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    live = {
        "maximumRetryAttempts": answer.get("MaximumRetryAttempts"),
        "maximumEventAgeInSeconds": answer.get("MaximumEventAgeInSeconds"),
        "destinationConfig": {"onFailure": {"destination": failing}} if failing else None,
    }
    return {key: value for key, value in live.items() if key in state.inputs}


EXISTING = {
    "aws:lambda/eventSourceMapping:EventSourceMapping": Existing(delete_mapping, update_mapping, read_mapping),
    "aws:lambda/function:Function": Existing(delete_function, update_function, read_function),
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": Existing(
        delete_event_invoke_config, set_again(event_invoke_config), read_event_invoke_config
    ),
    "aws:lambda/layerVersion:LayerVersion": Existing(nothing),
    "aws:lambda/permission:Permission": Existing(delete_permission),
}
