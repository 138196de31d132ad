"""State machines. The endpoint's Step Functions validates definitions, and refuses unsupported ones."""

from __future__ import annotations

from typing import Any

from local.deploy.workspace import Created, Creator, Request, Workspace, document, json_text


def state_machine(workspace: Workspace, request: Request) -> Created:
    """A state machine; its id is its ARN."""
    request.known("definition", "loggingConfiguration", "name", "publish", "roleArn", "tracingConfiguration", "type")
    name = workspace.physical_name(request)
    answer = workspace.client("stepfunctions").create_state_machine(
        name=name,
        type=request.inputs.get("type", "STANDARD"),
        tags=[{"key": key, "value": value} for key, value in workspace.tags(request).items()],
        **machine_settings(request),
    )
    arn = answer["stateMachineArn"]
    outputs = {"name": name, "arn": arn, "status": "ACTIVE", "creationDate": answer["creationDate"].isoformat()}
    return Created(arn, outputs)


def machine_settings(request: Request) -> dict[str, Any]:
    """Arguments of the calls that create and update a machine."""
    inputs = request.inputs
    document(inputs["definition"], request, "definition")
    arguments: dict[str, Any] = {"definition": json_text(inputs["definition"]), "roleArn": inputs["roleArn"]}
    logging = inputs.get("loggingConfiguration")
    if logging:
        arguments["loggingConfiguration"] = {
            "level": logging.get("level", "OFF"),
            "includeExecutionData": bool(logging.get("includeExecutionData", False)),
        }
        if "logDestination" in logging:
            group = {"logGroupArn": logging["logDestination"]}
            arguments["loggingConfiguration"]["destinations"] = [{"cloudWatchLogsLogGroup": group}]
    tracing = inputs.get("tracingConfiguration")
    if tracing:
        arguments["tracingConfiguration"] = {"enabled": bool(tracing.get("enabled", False))}
    return arguments


CREATORS: dict[str, Creator] = {"aws:sfn/stateMachine:StateMachine": state_machine}
