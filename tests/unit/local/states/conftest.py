"""A runtime in virtual time with scripted functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.functions.model import FunctionError, FunctionNotFound, InvokeResult
from local.scheduler import Scheduler
from local.states import Execution, ExecutionManager
from local.states.running.executions import RUNNING
from tests.support.map_objects import MemoryObjects

ROLE = "arn:aws:iam::123456789012:role/machine"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:"
INVOKE = "arn:aws:states:::lambda:invoke"
CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"


class Failed(Exception):
    """A function raises an exception of the class ``error_type``."""

    def __init__(self, error_type: str, message: str = "") -> None:
        super().__init__(message)
        self.error_type = error_type


@dataclass
class Call:
    function: str
    payload: Any
    at: float


Behaviour = Callable[[Any], Any]


@dataclass
class Functions:
    """Functions by name: each takes the event and returns, raises, or sleeps on the scheduler."""

    scheduler: Scheduler
    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    running: int = 0
    most_running: int = 0

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        name = function.rsplit(":", 1)[-1]
        self.calls.append(Call(name, payload, self.scheduler.now()))
        if name not in self.behaviours:
            raise FunctionNotFound(f"Function not found: {function}")
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            value = self.behaviours[name](json.loads(json.dumps(payload)))
        except Failed as error:
            return InvokeResult(None, FunctionError(error.error_type, str(error)), "request-1")
        finally:
            self.running -= 1
        return InvokeResult(value, None, "request-1")


class Runtime:
    """Scheduler, functions, objects and manager, with shortcuts for tests."""

    def __init__(self, **manager: Any) -> None:
        self.scheduler = Scheduler.virtual(seed=7)
        self.functions = Functions(self.scheduler)
        self.objects = MemoryObjects()
        given = {"objects": self.objects, **manager}
        self.manager = ExecutionManager(
            self.scheduler, self.functions, region="us-east-1", account_id="123456789012", **given
        )
        self._machines = 0

    def define(self, **behaviours: Behaviour) -> None:
        self.functions.behaviours.update(behaviours)

    def machine(self, definition: Mapping[str, Any], machine_type: str = "STANDARD", name: str | None = None) -> str:
        self._machines += 1
        return self.manager.create_state_machine(name or f"m{self._machines}", definition, ROLE, machine_type)

    def start(self, definition: Mapping[str, Any], data: Any = None, **options: Any) -> Execution:
        arn = self.machine(definition, **options)
        return self.manager.start_execution(arn, "e1", json.dumps({} if data is None else data))

    def run(self, definition: Mapping[str, Any], data: Any = None, **options: Any) -> Execution:
        """Start and run to the end of everything."""
        execution = self.start(definition, data, **options)
        self.scheduler.run_until_idle()
        assert execution.status != RUNNING
        return execution

    def seconds(self, execution: Execution) -> float:
        assert execution.stopped is not None
        return round(execution.stopped - execution.started, 3)


@pytest.fixture
def runtime() -> Runtime:
    return Runtime()


def chain(*states: tuple[str, dict[str, Any]], **top: Any) -> dict[str, Any]:
    """A machine of states one after the other; the last one ends it unless it says where it leads."""
    named: dict[str, Any] = {}
    for index, (name, state) in enumerate(states):
        named[name] = dict(state)
        if state["Type"] in ("Choice", "Succeed", "Fail") or "Next" in state or "End" in state:
            continue
        if index + 1 < len(states):
            named[name]["Next"] = states[index + 1][0]
        else:
            named[name]["End"] = True
    return {"StartAt": states[0][0], "States": named, **top}


def task(function: str = "work", **fields: Any) -> dict[str, Any]:
    """A Task that calls a function by its ARN."""
    return {"Type": "Task", "Resource": FUNCTION + function, **fields}


def callback(**fields: Any) -> dict[str, Any]:
    """A Task that waits for its token; the function ``ask`` gets it."""
    parameters = {"FunctionName": "ask", "Payload": {"token.$": "$$.Task.Token"}}
    return {"Type": "Task", "Resource": CALLBACK, "Parameters": parameters, **fields}


def distributed(state: dict[str, Any] | None = None, kind: str = "EXPRESS", **fields: Any) -> dict[str, Any]:
    """A Map in Distributed mode whose children have one state, a task by default."""
    config = {"Mode": "DISTRIBUTED", "ExecutionType": kind}
    processor = {"ProcessorConfig": config, **chain(("item", state or task()))}
    return {"Type": "Map", "Label": "rows", "ItemProcessor": processor, **fields}


def csv_reader(key: str = "rows.csv", **config: Any) -> dict[str, Any]:
    """An ItemReader of a CSV file with a header."""
    return {
        "Resource": "arn:aws:states:::s3:getObject",
        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW", **config},
        "Parameters": {"Bucket": "bucket", "Key": key},
    }


WRITER = {"Resource": "arn:aws:states:::s3:putObject", "Parameters": {"Bucket": "bucket", "Prefix": "results"}}
