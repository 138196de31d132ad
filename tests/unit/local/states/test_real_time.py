"""The same in real time: functions on worker threads, calls from other threads. Nothing here waits by sleeping."""

from __future__ import annotations

import json
import threading
from typing import Any

from local.functions.model import InvokeResult
from local.scheduler import Scheduler
from local.states import ExecutionManager

from .conftest import ROLE, callback, chain, task


class Threaded:
    """Functions that run on the scheduler's worker threads and answer their own token."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.manager: ExecutionManager | None = None

    def invoke(self, function: str, payload: Any) -> InvokeResult:
        return InvokeResult(self.scheduler.wait(self.scheduler.execute(self._work, payload)), None, "r")

    def _work(self, payload: Any) -> Any:
        assert self.manager is not None
        if isinstance(payload, dict) and "token" in payload:
            self.manager.send_task_success(payload["token"], '"answered"')
        return payload


def test_executions_started_from_many_threads_all_end() -> None:
    scheduler = Scheduler.real()
    functions = Threaded(scheduler)
    manager = functions.manager = ExecutionManager(scheduler, functions, region="us-east-1", account_id="123456789012")
    processor = chain(("i", task()))
    machine = chain(
        ("a", callback(TimeoutSeconds=60, ResultPath="$.answer")),
        ("m", {"Type": "Map", "ItemsPath": "$.items", "ItemProcessor": processor}),
        TimeoutSeconds=60,
    )
    arn = manager.create_state_machine("m", machine, ROLE)
    ended: list[str] = []
    all_ended = threading.Event()
    total = 60

    def heard(execution: Any) -> None:
        ended.append(execution.name)
        if len(ended) == total:
            all_ended.set()

    manager.on_status_change(heard)

    def start(first: int) -> None:
        for number in range(first, first + 20):
            manager.start_execution(arn, f"n{number}", json.dumps({"items": [1, 2]}))
            manager.list_executions(arn)

    scheduler.start_thread()
    threads = [threading.Thread(target=start, args=(first,)) for first in range(0, total, 20)]
    for thread in threads:
        thread.start()
    try:
        assert all_ended.wait(timeout=30)
    finally:
        scheduler.stop()
    assert {execution.status for execution in manager.list_executions(arn)} == {"SUCCEEDED"}
    assert sorted(ended) == sorted(f"n{number}" for number in range(total))
    assert manager.list_executions(arn)[0].output == [1, 2]
