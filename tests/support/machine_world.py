"""What a route through a state machine needs in memory: functions, executions and deliveries in virtual time."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from handlers.store.port import Item
from handlers.store.values import item_to_dynamo
from infra.components.messaging import MAX_RECEIVE_COUNT
from local.functions.host import FunctionHost
from local.functions.model import FunctionSpec, InvokeResult
from local.scheduler import Scheduler
from local.states.errors import ExecutionAlreadyExists, TaskDoesNotExist, TaskTimedOut
from local.states.manager import KEEP_HISTORIES, ExecutionManager
from local.states.running.executions import Execution
from tests.support.gate import Gate

REGION, ACCOUNT = "eu-central-1", "123456789012"
ENDED_BADLY = ("FAILED", "TIMED_OUT", "ABORTED")
AT_ONCE, LATER = "at once", "later"
STREAM_TRIES = 10


class MachineWorld:
    """``twice`` delivers every Lambda call twice: ``AT_ONCE`` side by side, ``LATER`` one after the other.

    It is the port to state machines, too (``StateMachines``).
    """

    def __init__(
        self, gate: Gate | None, *, twice: str, seed: int | None, keep_histories: int = KEEP_HISTORIES
    ) -> None:
        self.gate = gate or Gate()
        self.scheduler = Scheduler.virtual(seed)
        self.gate.checkpoint = self.scheduler.checkpoint
        self.host = FunctionHost(self.scheduler)
        self.executions = ExecutionManager(
            self.scheduler, self.host, region=REGION, account_id=ACCOUNT, keep_histories=keep_histories
        )
        if twice:
            self.host.interceptors.append(_twice(self.scheduler, side_by_side=twice == AT_ONCE))

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        """See StateMachines."""

        def start() -> bool:
            try:
                self.executions.start_execution(machine, name, json.dumps(payload, sort_keys=True))
            except ExecutionAlreadyExists:
                return False
            return True

        return self.gate.cross("StartExecution", start)

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        """See StateMachines."""

        def resume() -> bool:
            try:
                self.executions.send_task_success(token, json.dumps(output))
            except (TaskDoesNotExist, TaskTimedOut):
                return False
            return True

        return self.gate.cross("SendTaskSuccess", resume)

    def register(self, name: str, start: Callable[[], Any], *, timeout_s: float) -> None:
        """A function, by its name."""
        self.host.register(FunctionSpec(name, function_arn(name), "", Path(), timeout_s=timeout_s), start=start)

    def deliver(self, function: str, events: Iterable[Mapping[str, Any]], pause: float) -> bool:
        """One event after the other, until one is answered without an error. False: none was."""
        for event in events:
            result = self.host.invoke(function, event)
            if result.error is None and not (result.payload or {}).get("batchItemFailures"):
                return True
            self.scheduler.sleep(pause)
        return False

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """Without the log lines of functions."""
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


def function_arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def stream_events(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A stream's tries to deliver a record."""
    return [{"Records": [record]}] * STREAM_TRIES


def stream_record(before: Item | None, after: Item, number: int) -> dict[str, Any]:
    """A table's record of a change."""
    change = {"NewImage": item_to_dynamo(after), "SequenceNumber": str(number)}
    if before is not None:
        change["OldImage"] = item_to_dynamo(before)
    return {
        "eventName": "INSERT" if before is None else "MODIFY",
        "eventSource": "aws:dynamodb",
        "dynamodb": change,
    }


def queue_events(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A queue's tries to deliver a main topic's message."""
    for receive in range(1, MAX_RECEIVE_COUNT + 1):
        record = {
            "messageId": f"m-{message['id']}",
            "eventSource": "aws:sqs",
            "body": json.dumps({"Message": json.dumps(message)}),
            "attributes": {"ApproximateReceiveCount": str(receive)},
        }
        yield {"Records": [record]}


def status_event(execution: Execution) -> dict[str, Any]:
    """What EventBridge says of an execution that has ended."""
    detail = {
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine.arn,
        "name": execution.name,
        "status": execution.status,
        "input": execution.input_text,
    }
    return {"source": "aws.states", "detail": detail}


def _twice(scheduler: Scheduler, *, side_by_side: bool) -> Callable[[str, Any, Any], InvokeResult]:
    """Delivers each Lambda call twice."""

    def twice(function: str, payload: Any, proceed: Callable[[Any], InvokeResult]) -> InvokeResult:
        if side_by_side:
            scheduler.spawn(proceed, payload, name="duplicate")
            return proceed(payload)
        proceed(payload)
        return proceed(payload)

    return twice
