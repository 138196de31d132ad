"""The Step Functions API on the local endpoint: requests in, ``ExecutionManager`` calls, answers out.

Answers every operation in place of moto, whose engine runs no real time-outs, knows no EXPRESS processor and gives
neither cause nor abort reason. Source of the shapes: Step Functions API reference.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

import botocore.session

from local.aws.model import AwsRequest, AwsResponse, OperationHandler
from local.states.definition import validate
from local.states.errors import ApiError, InvalidDefinition
from local.states.executions import RUNNING, Execution, Machine
from local.states.manager import ExecutionManager
from local.states.model import STANDARD

#: Entries on a page where the request names none, and the most it may name.
PAGE = 100
PAGE_LIMIT = 1_000

Params = Mapping[str, Any]


class Endpoint(Protocol):
    """The part of ``AwsEndpoint`` that is needed here."""

    def replace(self, service: str, operation: str, handler: OperationHandler) -> None:
        """Let ``handler`` answer an operation."""


def install(endpoint: Endpoint, manager: ExecutionManager) -> None:
    """Let ``manager`` answer Step Functions calls; operations that it lacks are refused by name."""
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
        return AwsResponse(200, {"content-type": "application/x-amz-json-1.0"}, json.dumps(answer).encode())

    return handle


def _refused(code: str, message: str) -> AwsResponse:
    body = json.dumps({"__type": code, "message": message}).encode()
    return AwsResponse(400, {"content-type": "application/x-amz-json-1.0", "x-amzn-errortype": code}, body)


class InvalidArn(ApiError):
    """The ARN is of another kind than the operation takes."""

    code = "InvalidArn"


class InvalidPage(ApiError):
    """The page token isn't one of ours."""

    code = "InvalidToken"


class ResourceNotFound(ApiError):
    """No such resource to tag."""

    code = "ResourceNotFound"


class StepFunctionsApi:
    """One method per operation: parameters in, answer out; ``operations`` maps the API's names to them."""

    def __init__(self, manager: ExecutionManager) -> None:
        self._manager = manager
        #: what only CreateStateMachine knows and only DescribeStateMachine tells, by ARN
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
            "StartExecution": self.start_execution,
            "StopExecution": self.stop_execution,
            "DescribeExecution": self.describe_execution,
            "ListExecutions": self.list_executions,
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
        return _page("stateMachines", machines, params)

    def validate_definition(self, params: Params) -> dict[str, Any]:
        """ValidateStateMachineDefinition, with the first problem as the only diagnostic."""
        try:
            validate(params["definition"], params.get("type", STANDARD))
        except InvalidDefinition as error:
            problem = {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": error.message}
            return {"result": "FAIL", "diagnostics": [problem], "truncated": False}
        return {"result": "OK", "diagnostics": [], "truncated": False}

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
        execution = self._execution(params)
        answer = {
            **_summary(execution),
            "input": execution.input_text,
            "inputDetails": {"included": True},
            "redriveCount": 0,
            "redriveStatus": "NOT_REDRIVABLE",
            "redriveStatusReason": "the local runtime doesn't redrive executions",
        }
        output = execution.output_text
        if output is not None:
            answer.update(output=output, outputDetails={"included": True})
        for field, value in (("error", execution.error), ("cause", execution.cause)):
            if value:
                answer[field] = value
        return answer

    def list_executions(self, params: Params) -> dict[str, Any]:
        """ListExecutions, newest first."""
        found = self._manager.list_executions(params["stateMachineArn"], params.get("statusFilter"))
        return _page("executions", [_summary(execution) for execution in found], params)

    def get_execution_history(self, params: Params) -> dict[str, Any]:
        """GetExecutionHistory."""
        events = list(self._execution(params).history.events)
        if params.get("reverseOrder"):
            events.reverse()
        page = _page("events", events, params)
        page["events"] = [
            _event(event.describe(), params.get("includeExecutionData", True)) for event in page["events"]
        ]
        return page

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


def _settings(params: Params) -> dict[str, Any]:
    names = ("loggingConfiguration", "tracingConfiguration", "encryptionConfiguration")
    return {name: params[name] for name in names if name in params}


def _summary(execution: Execution) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
    }
    if execution.status != RUNNING:
        answer["stopDate"] = execution.stopped
    return answer


def _event(event: dict[str, Any], with_data: bool) -> dict[str, Any]:
    at: datetime = event["timestamp"]
    event["timestamp"] = at.timestamp()
    if not with_data:
        for details in event.values():
            if isinstance(details, dict):
                for field in ("input", "output", "parameters"):
                    details.pop(field, None)
    return event


def _page(field: str, entries: list[Any], params: Params) -> dict[str, Any]:
    """One page of a list; the token is the number of the first entry of the next one."""
    token = params.get("nextToken") or "0"
    if not token.isdigit():
        raise InvalidPage(f"Invalid Token: '{token}'")
    start = int(token)
    end = start + min(params.get("maxResults") or PAGE, PAGE_LIMIT)
    answer: dict[str, Any] = {field: entries[start:end]}
    if end < len(entries):
        answer["nextToken"] = str(end)
    return answer
