"""Functions, permissions and event source mappings."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.deploy.errors import UnsupportedResource
from local.deploy.resources.layers import importable, layer_version
from local.deploy.workspace import Created, Creator, Request, Workspace
from local.functions.model import FunctionSpec
from local.sources.async_calls import AsyncSettings, name_of
from local.sources.mappings import QueueMapping, StreamMapping, mapping_from_properties

_FUNCTION = (
    "architectures",
    "code",
    "description",
    "environment",
    "handler",
    "kmsKeyArn",
    "layers",
    "loggingConfig",
    "memorySize",
    "name",
    "packageType",
    "publish",
    "reservedConcurrentExecutions",
    "role",
    "runtime",
    "timeout",
    "tracingConfig",
)
#: Pulumi's value for "not reserved".
UNRESERVED = -1
#: Lambda's defaults (API reference, CreateFunction).
DEFAULT_TIMEOUT_S = 3
DEFAULT_MEMORY_MB = 128


def function(workspace: Workspace, request: Request) -> Created:
    """A function from an archive, created on the endpoint, so that the CLI lists it, and in the host, which runs it."""
    request.known(*_FUNCTION)
    inputs = request.inputs
    name = workspace.physical_name(request)
    code = workspace.archives.unpack(inputs.get("code"), request.label)
    client = workspace.client("lambda")
    arn = client.create_function(
        FunctionName=name,
        Code=workspace.code_argument(code),
        Architectures=inputs.get("architectures", ["x86_64"]),
        Tags=workspace.tags(request),
        **function_settings(inputs),
    )["FunctionArn"]
    reserved = inputs.get("reservedConcurrentExecutions", UNRESERVED)
    if reserved != UNRESERVED:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=reserved)
    spec = function_spec(workspace, name, arn, inputs, code.folder)
    workspace.context.functions.register(spec)
    workspace.deployment.functions[name] = spec
    return Created(name, {"name": name, "arn": arn, "invokeArn": _invoke_arn(workspace, arn), "version": "$LATEST"})


def function_settings(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of the calls that create and update a function."""
    key = {"KMSKeyArn": inputs["kmsKeyArn"]} if "kmsKeyArn" in inputs else {}
    return {
        **key,
        "Runtime": inputs["runtime"],
        "Role": inputs["role"],
        "Handler": inputs["handler"],
        "Description": inputs.get("description", ""),
        "Timeout": inputs.get("timeout", DEFAULT_TIMEOUT_S),
        "MemorySize": inputs.get("memorySize", DEFAULT_MEMORY_MB),
        "Environment": {"Variables": _variables(inputs)},
        "TracingConfig": {"Mode": (inputs.get("tracingConfig") or {}).get("mode", "PassThrough")},
    }


def function_spec(workspace: Workspace, name: str, arn: str, inputs: Mapping[str, Any], folder: Path) -> FunctionSpec:
    """The host's specification of the function. ``folder`` contains its code."""
    reserved = inputs.get("reservedConcurrentExecutions", UNRESERVED)
    return FunctionSpec(
        name=name,
        arn=arn,
        handler=inputs["handler"],
        archive_dir=folder,
        env=_variables(inputs),
        timeout_s=inputs.get("timeout", DEFAULT_TIMEOUT_S),
        memory_mb=inputs.get("memorySize", DEFAULT_MEMORY_MB),
        reserved_concurrency=None if reserved == UNRESERVED else reserved,
        role_arn=inputs["role"],
        importable=importable(workspace, name, inputs.get("layers") or (), _variables(inputs)),
    )


def _variables(inputs: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(value) for key, value in (inputs.get("environment") or {}).get("variables", {}).items()}


def _invoke_arn(workspace: Workspace, arn: str) -> str:
    """The ARN for API Gateway (Lambda Developer Guide, "Invoking Lambda with API Gateway")."""
    return f"arn:{workspace.partition}:apigateway:{workspace.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def permission(workspace: Workspace, request: Request) -> Created:
    """The permission of another service to call a function."""
    request.known("action", "function", "principal", "sourceAccount", "sourceArn", "statementId")
    inputs = request.inputs
    statement = str(inputs.get("statementId", request.name))
    arguments: dict[str, Any] = {
        "FunctionName": inputs["function"],
        "StatementId": statement,
        "Action": inputs["action"],
        "Principal": inputs["principal"],
    }
    for property_name, aws in (("sourceArn", "SourceArn"), ("sourceAccount", "SourceAccount")):
        if property_name in inputs:
            arguments[aws] = inputs[property_name]
    workspace.client("lambda").add_permission(**arguments)
    workspace.permissions.add((str(inputs["function"]).rsplit(":", 1)[-1], str(inputs["principal"])))
    return Created(statement, {"statementId": statement})


def event_invoke_config(workspace: Workspace, request: Request) -> Created:
    """Destinations and retries of a function's asynchronous calls. The function's name is its id."""
    request.known("destinationConfig", "functionName", "maximumEventAgeInSeconds", "maximumRetryAttempts")
    inputs = request.inputs
    name = name_of(str(inputs["functionName"]))
    destinations = inputs.get("destinationConfig") or {}
    if set(destinations) - {"onFailure"}:
        raise UnsupportedResource(f"destinationConfig of {request.label} has more than onFailure, the only one here")
    settings = AsyncSettings(
        retries=inputs.get("maximumRetryAttempts", AsyncSettings.retries),
        maximum_age_s=inputs.get("maximumEventAgeInSeconds", AsyncSettings.maximum_age_s),
        on_failure=(destinations.get("onFailure") or {}).get("destination"),
    )
    arguments: dict[str, Any] = {"FunctionName": name}
    if settings.on_failure is not None:
        arguments["DestinationConfig"] = {"OnFailure": {"Destination": settings.on_failure}}
    client = workspace.client("lambda")
    if name in workspace.deployment.async_settings:  # moto keeps the first of several
        client.delete_function_event_invoke_config(FunctionName=name)
    client.put_function_event_invoke_config(
        MaximumRetryAttempts=settings.retries, MaximumEventAgeInSeconds=int(settings.maximum_age_s), **arguments
    )
    workspace.deployment.async_settings[name] = settings
    return Created(name, {"functionName": inputs["functionName"]})


def event_source_mapping(workspace: Workspace, request: Request) -> Created:
    """A mapping of a stream or queue to a function. The endpoint lists it; ``local.sources`` runs it."""
    mapping = declared_mapping(workspace, request)
    arguments: dict[str, Any] = {
        "EventSourceArn": request.inputs["eventSourceArn"],
        "FunctionName": mapping.function,
        "BatchSize": mapping.batch_size,
        "Enabled": mapping.enabled,
    }
    if isinstance(mapping, StreamMapping):
        arguments["StartingPosition"] = request.inputs["startingPosition"]
    answer = workspace.client("lambda").create_event_source_mapping(**arguments)
    workspace.deployment.event_source_mappings.append(mapping)
    return Created(
        answer["UUID"],
        {"uuid": answer["UUID"], "functionArn": answer["FunctionArn"], "arn": answer.get("EventSourceMappingArn", "")},
    )


def declared_mapping(workspace: Workspace, request: Request) -> StreamMapping | QueueMapping:
    """The mapping for ``local.sources``. Its id is derived from its logical name."""
    mapping_id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{workspace.stack.project}/{workspace.stack.name}/{request.name}"))
    return mapping_from_properties(mapping_id, {k: v for k, v in request.inputs.items() if k != "tagsAll"})


CREATORS: dict[str, Creator] = {
    "aws:lambda/eventSourceMapping:EventSourceMapping": event_source_mapping,
    "aws:lambda/function:Function": function,
    "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": event_invoke_config,
    "aws:lambda/layerVersion:LayerVersion": layer_version,
    "aws:lambda/permission:Permission": permission,
}
