"""Responses of the Step Functions API about executions and their events. Source of the shapes: API reference."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from local.states.running.executions import RUNNING, Execution


def execution_description(execution: Execution) -> dict[str, Any]:
    """The answer of DescribeExecution."""
    answer = execution_summary(execution)
    answer.pop("itemCount", None)
    answer |= {
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


def execution_summary(execution: Execution) -> dict[str, Any]:
    """An entry of ListExecutions."""
    answer: dict[str, Any] = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": execution.started,
    }
    if execution.status != RUNNING:
        answer["stopDate"] = execution.stopped
    if execution.map_run is not None:
        answer.update(mapRunArn=execution.map_run, itemCount=execution.items)
    return answer


def event_answer(event: dict[str, Any], with_data: bool) -> dict[str, Any]:
    """An event of GetExecutionHistory, modified in place; without ``with_data``, the execution's data is removed."""
    at: datetime = event["timestamp"]
    event["timestamp"] = at.timestamp()
    if not with_data:
        for details in event.values():
            if isinstance(details, dict):
                for field in ("input", "output", "parameters"):
                    details.pop(field, None)
    return event
