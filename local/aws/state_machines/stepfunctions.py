"""The Step Functions API on the local endpoint, on top of ``ExecutionManager``.

It answers every operation in place of moto, whose engine has no real timeouts and no EXPRESS processor, and returns
neither causes nor reasons of aborts. Source of the shapes: Step Functions API reference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import botocore.session

from local.aws.model import AwsRequest, AwsResponse, OperationHandler
from local.aws.state_machines.execution_answers import event_answer, execution_description, execution_summary
from local.aws.state_machines.map_run_answers import map_run_description, map_run_summary
from local.aws.state_machines.pages import page
from local.aws.state_machines.tested_states import tested_state
from local.states.definition.model import EXPRESS, STANDARD
from local.states.definition.parser import validate
from local.states.errors import ApiError, InvalidDefinition, StateMachineTypeNotSupported
from local.states.manager import ExecutionManager
from local.states.running.executions import Execution, Machine

Params = Mapping[str, Any]


class Endpoint(Protocol):
    """The part of ``AwsEndpoint`` used here."""

    def replace(self, service: str, operation: str, handler: OperationHandler) -> None:
        """Let ``handler`` answer an operation."""


def install(endpoint: Endpoint, manager: ExecutionManager) -> None:
    """Let ``manager`` answer Step Functions calls; unsupported operations are refused by name."""
    api = StepFunctionsApi(manager)
    for operation in botocore.session.get_session().get_service_model("stepfunctions").operation_names:
        endpoint.replace("stepfunctions", operation, _handler(api, operation))


def _handler(api: StepFunctionsApi, operation: str) -> OperationHandler:
    method = api.operations.get(operation)

    def handle(request: AwsRequest) -> AwsResponse:
        if method is None:
            return _refused("UnknownOperationException", f"{operation} is not supported by the local runtime")
        try:
            answer = method(request.params)
        except ApiError as error:
            return _refused(error.code, error.message)
        return AwsResponse(200, {"content-type": "application/x-amz-json-1.0"}, value=answer)

    return handle


def _refused(code: str, message: str) -> AwsResponse:
    headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-errortype": code}
    return AwsResponse(400, headers, value={"__type": code, "message": message})


class InvalidArn(ApiError):
    """The ARN is of a kind that the operation doesn't accept."""

    code = "InvalidArn"


class ResourceNotFound(ApiError):
    """The resource to tag doesn't exist."""

    code = "ResourceNotFound"


class Unsupported(ApiError):
    """The request needs something that the local runtime doesn't support."""

    code = "UnsupportedOperation"


class StepFunctionsApi:
    """One method per operation, from parameters to response; ``operations`` maps the API's names to them."""

    def __init__(self, manager: ExecutionManager) -> None:
        self._manager = manager
        #: ARN to settings that CreateStateMachine stores and only DescribeStateMachine returns
        self._settings: dict[str, dict[str, Any]] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self.operations: Mapping[str, Callable[[Params], dict[str, Any]]] = {
            "CreateStateMachine": self.create_state_machine,
            "DescribeStateMachine": self.describe_state_machine,
            "DescribeStateMachineForExecution": self.describe_state_machine_for_execution,
            "UpdateStateMachine": self.update_state_machine,
            "DeleteStateMachine": self.delete_state_machine,
            "ListStateMachines": self.list_state_machines,
            "ValidateStateMachineDefinition": self.validate_definition,
            "TestState": self.test_state,
            "StartExecution": self.start_execution,
            "StopExecution": self.stop_execution,
            "DescribeExecution": self.describe_execution,
            "ListExecutions": self.list_executions,
            "DescribeMapRun": self.describe_map_run,
            "ListMapRuns": self.list_map_runs,
            "GetExecutionHistory": self.get_execution_history,
            "SendTaskSuccess": self.send_task_success,
            "SendTaskFailure": self.send_task_failure,
            "SendTaskHeartbeat": self.send_task_heartbeat,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags,
        }

    # -- machines -------------------------------------------------------------------------------------

    def create_state_machine(self, params: Params) -> dict[str, Any]:
        """CreateStateMachine."""
        _refuse_versions("CreateStateMachine", params)
        arn = self._manager.create_state_machine(
            params["name"], params["definition"], params["roleArn"], params.get("type", STANDARD)
        )
        self._settings.setdefault(arn, _settings(params))
        self._tags.setdefault(arn, {tag["key"]: tag["value"] for tag in params.get("tags", [])})
        return {"stateMachineArn": arn, "creationDate": self._manager.describe_state_machine(arn).created}

    def describe_state_machine(self, params: Params) -> dict[str, Any]:
        """DescribeStateMachine."""
        return self._machine(self._manager.describe_state_machine(params["stateMachineArn"]))

    def describe_state_machine_for_execution(self, params: Params) -> dict[str, Any]:
        """DescribeStateMachineForExecution."""
        machine = self._execution(params).machine
        answer = self._machine(machine)
        for field in ("status", "type", "creationDate"):
            del answer[field]
        return {**answer, "updateDate": machine.updated}

    def update_state_machine(self, params: Params) -> dict[str, Any]:
        """UpdateStateMachine."""
        _refuse_versions("UpdateStateMachine", params)
        arn = params["stateMachineArn"]
        machine = self._manager.update_state_machine(arn, params.get("definition"), params.get("roleArn"))
        self._settings.setdefault(arn, {}).update(_settings(params))
        return {"updateDate": machine.updated}

    def delete_state_machine(self, params: Params) -> dict[str, Any]:
        """DeleteStateMachine."""
        arn = params["stateMachineArn"]
        self._manager.delete_state_machine(arn)
        self._settings.pop(arn, None)
        self._tags.pop(arn, None)
        return {}

    def list_state_machines(self, params: Params) -> dict[str, Any]:
        """ListStateMachines."""
        machines = [
            {"stateMachineArn": m.arn, "name": m.name, "type": m.type, "creationDate": m.created}
            for m in self._manager.list_state_machines()
        ]
        return page("stateMachines", machines, params)

    def validate_definition(self, params: Params) -> dict[str, Any]:
        """ValidateStateMachineDefinition, with the first problem as the only diagnostic."""
        try:
            validate(params["definition"], params.get("type", STANDARD))
        except InvalidDefinition as error:
            problem = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": error.message}
            return {"result": "FAIL", "diagnostics": [problem], "truncated": False}
        return {"result": "OK", "diagnostics": [], "truncated": False}

    def test_state(self, params: Params) -> dict[str, Any]:
        """TestState."""
        return tested_state(params, self._manager.scheduler, self._manager.map_runs)

    def _machine(self, machine: Machine) -> dict[str, Any]:
        return {
            "stateMachineArn": machine.arn,
            "name": machine.name,
            "status": "ACTIVE",
            "definition": machine.text,
            "roleArn": machine.role_arn,
            "type": machine.type,
            "creationDate": machine.created,
            "loggingConfiguration": {"level": "OFF", "includeExecutionData": False},
            "tracingConfiguration": {"enabled": False},
            **self._settings.get(machine.arn, {}),
        }

    # -- executions -----------------------------------------------------------------------------------

    def start_execution(self, params: Params) -> dict[str, Any]:
        """StartExecution."""
        execution = self._manager.start_execution(
            params["stateMachineArn"], params.get("name"), params.get("input", "{}")
        )
        return {"executionArn": execution.arn, "startDate": execution.started}

    def stop_execution(self, params: Params) -> dict[str, Any]:
        """StopExecution."""
        arn = self._execution(params).arn
        return {"stopDate": self._manager.stop_execution(arn, params.get("error"), params.get("cause")).stopped}

    def describe_execution(self, params: Params) -> dict[str, Any]:
        """DescribeExecution."""
        return execution_description(self._execution(params))

    def list_executions(self, params: Params) -> dict[str, Any]:
        """ListExecutions, newest first, of a machine or of a Map Run."""
        status = params.get("statusFilter")
        if "mapRunArn" in params:
            children = self._manager.map_runs.children(params["mapRunArn"])
            found = [one for one in children if status is None or one.status == status]
        else:
            machine = params["stateMachineArn"]
            if self._manager.describe_state_machine(machine).type == EXPRESS:
                raise StateMachineTypeNotSupported(f"State machine type is not supported: '{machine}'")
            found = self._manager.list_executions(machine, status)
        return page("executions", [execution_summary(execution) for execution in found], params)

    def describe_map_run(self, params: Params) -> dict[str, Any]:
        """DescribeMapRun."""
        return map_run_description(self._manager.map_runs.describe(params["mapRunArn"]))

    def list_map_runs(self, params: Params) -> dict[str, Any]:
        """ListMapRuns, newest first."""
        found = self._manager.map_runs.of_execution(self._execution(params).arn)
        return page("mapRuns", [map_run_summary(map_run) for map_run in found], params)

    def get_execution_history(self, params: Params) -> dict[str, Any]:
        """GetExecutionHistory."""
        events = list(self._execution(params).history.events)
        if params.get("reverseOrder"):
            events.reverse()
        answer = page("events", events, params)
        answer["events"] = [
            event_answer(event.describe(), params.get("includeExecutionData", True)) for event in answer["events"]
        ]
        return answer

    def _execution(self, params: Params) -> Execution:
        arn = params["executionArn"]
        if ":express:" in arn:
            raise InvalidArn("Invalid Arn: 'Resource type not valid in this context: express'")
        if ":execution:" not in arn:
            raise InvalidArn(f"Invalid Arn: '{arn}'")
        return self._manager.describe_execution(arn)

    # -- task tokens ----------------------------------------------------------------------------------

    def send_task_success(self, params: Params) -> dict[str, Any]:
        """SendTaskSuccess."""
        self._manager.send_task_success(params["taskToken"], params["output"])
        return {}

    def send_task_failure(self, params: Params) -> dict[str, Any]:
        """SendTaskFailure."""
        self._manager.send_task_failure(params["taskToken"], params.get("error"), params.get("cause"))
        return {}

    def send_task_heartbeat(self, params: Params) -> dict[str, Any]:
        """SendTaskHeartbeat."""
        self._manager.send_task_heartbeat(params["taskToken"])
        return {}

    # -- tags -----------------------------------------------------------------------------------------

    def tag_resource(self, params: Params) -> dict[str, Any]:
        """TagResource."""
        self._tagged(params["resourceArn"]).update({tag["key"]: tag["value"] for tag in params["tags"]})
        return {}

    def untag_resource(self, params: Params) -> dict[str, Any]:
        """UntagResource."""
        tags = self._tagged(params["resourceArn"])
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags(self, params: Params) -> dict[str, Any]:
        """ListTagsForResource."""
        return {"tags": [{"key": k, "value": v} for k, v in sorted(self._tagged(params["resourceArn"]).items())]}

    def _tagged(self, arn: str) -> dict[str, str]:
        if arn not in self._tags:
            raise ResourceNotFound(f"Resource not found: '{arn}'")
        return self._tags[arn]


def _refuse_versions(operation: str, params: Params) -> None:
    if params.get("publish"):
        raise Unsupported(f"{operation} with publish is not supported by the local runtime: machines have no versions")


def _settings(params: Params) -> dict[str, Any]:
    names = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
    return {name: params[name] for name in names if name in params}
