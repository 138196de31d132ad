"""The machine for large files, played: the states of ``import_csv.asl.json`` in their order, the Map's batches in any.

A call that dies is made again; one that dies each time is caught, as the definition says. ``twice`` makes every call
of a function twice.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from contract.state_machines import (
    CHECK_ROWS,
    CSV_LOADER,
    CSV_MAP,
    CSV_ROWS_HANDLER,
    FINALIZE_PARENT_JOB,
    JSONL_MAP,
    JSONL_ROWS_HANDLER,
    WAIT_ROWS,
)
from handlers.consumers.state_router import StateRouter
from handlers.core.clock import Clock, iso
from handlers.core.errors import TransientError
from handlers.imports.jobs.job_run import JobRun
from handlers.objects.memory import MemoryObjects, MemorySource
from handlers.objects.source import ObjectInfo
from infra.components.state_machines import load_definition
from local.functions.model import SimulatedCrash

MOST_CALLS = 5
DEFINITION = load_definition("import_csv")
RESULTS = "map-results"

Deliver = Callable[[int], bool]
Enqueue = Callable[[str, Deliver], None]


class PlayedMachine:
    """See ``StateMachines``. ``map_dies_after``: so many batches; None: it doesn't."""

    def __init__(
        self,
        loader: StateRouter[JobRun],
        rows: StateRouter[JobRun],
        source: MemorySource,
        objects: MemoryObjects,
        clock: Clock,
        enqueue: Enqueue,
        rest: Callable[[float], bool],
    ) -> None:
        self._functions = dict.fromkeys((CSV_LOADER, CHECK_ROWS, FINALIZE_PARENT_JOB), loader)
        self._functions |= dict.fromkeys((CSV_ROWS_HANDLER, JSONL_ROWS_HANDLER, WAIT_ROWS), rows)
        self._source = source
        self._objects = objects
        self._clock = clock
        self._enqueue = enqueue
        self._rest = rest
        self.batch_rows = 3
        self.map_dies_after: int | None = None
        self.runs: dict[str, Run] = {}
        #: Those that somebody waits with, to what follows.
        self.tokens: dict[str, Callable[[], None]] = {}
        self.issued = 0

    def start(self, machine: str, name: str, payload: Mapping[str, Any]) -> bool:
        if name in self.runs:
            return False
        self.runs[name] = Run(self, name, dict(payload))
        self.runs[name].enter(CSV_LOADER, dict(payload))
        return True

    def resume(self, token: str, output: Mapping[str, Any]) -> bool:
        go_on = self.tokens.pop(token, None)
        if go_on is not None:
            go_on()
        return go_on is not None

    def call(self, state: str, name: str, execution_input: Any, given: Any, token: str | None = None) -> Any:
        """One call of a function, through JSON as the service does it."""
        event = {
            "source": "step-function",
            "context": {
                "Execution": {"Id": f"arn:{name}", "Name": name, "StartTime": "s", "Input": execution_input},
                "State": {"EnteredTime": iso(self._clock.now()), "Name": state, "RetryCount": 0},
                "StateMachine": {"Id": "arn:m", "Name": "import-csv"},
            },
            "input": given,
            **({} if token is None else {"taskToken": token}),
        }
        return json.loads(json.dumps(self._functions[state](json.loads(json.dumps(event)))))[0][0]

    def read(self, given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The items as the Map's reader and selector make them."""
        info = self._source.find(given["bucket"], given["key"])
        info = ObjectInfo(info.bucket, info.key, info.size, info.etag, given["versionId"])
        versions = self._source.contents[info.bucket][info.key]
        text = versions[int(given["versionId"]) - 1].decode()
        if given["format"] == "JSONL":
            for index, line in enumerate(text.removesuffix("\n").split("\n")):
                yield {"index": index, "row": json.loads(line)}
            return
        header, *records = csv.reader(io.StringIO(text, newline=""), escapechar="\\")
        for index, record in enumerate(records):
            yield {"index": index, "row": dict(zip(header, record, strict=True))}


class Run:
    """One execution. ``ended``: its last state."""

    def __init__(self, machine: PlayedMachine, name: str, execution_input: dict[str, Any]) -> None:
        self._machine = machine
        self._name = name
        self._input = execution_input
        self._open_batches = 0
        self._failed_batches: list[Any] = []
        self.ended: str | None = None
        self.visited: list[str] = []

    def enter(self, state: str, given: dict[str, Any]) -> None:
        """Have a state run."""
        self.visited.append(state)
        self._work(
            state,
            self._input,
            given,
            lambda output: self._after(state, output),
            lambda e: self._caught(state, given, e),
        )

    def _work(
        self,
        state: str,
        execution_input: Any,
        given: dict[str, Any],
        done: Callable[[Any], None],
        caught: Callable[[BaseException], None],
    ) -> None:
        moved: list[bool] = []

        def deliver(number: int) -> bool:
            failure: BaseException | None = None
            output = None
            try:
                output = self._machine.call(state, self._name, execution_input, given)
            except (SimulatedCrash, TransientError) as error:
                if number < MOST_CALLS:
                    return False
                failure = error
            except Exception as error:  # noqa: BLE001 - boundary: as Step Functions, which catches all
                failure = error
            if not moved:
                moved.append(True)
                done(output) if failure is None else caught(failure)
            return True

        self._machine._enqueue(state, deliver)

    def _after(self, state: str, output: dict[str, Any]) -> None:
        if state == CSV_LOADER:
            if output["rows"] > 0:
                self._map(output)
            else:
                self.enter(CHECK_ROWS, output)
        elif state == CHECK_ROWS:
            self.enter(FINALIZE_PARENT_JOB, output) if output["done"] else self._wait(output)
        elif output["more"]:
            self.enter(FINALIZE_PARENT_JOB, output)
        else:
            self.ended = "success"

    def _caught(self, state: str, given: dict[str, Any], error: BaseException) -> None:
        if state == FINALIZE_PARENT_JOB:
            self.ended = "fail_unrecorded"
        else:
            cause = json.dumps({"errorMessage": str(error)})
            self.enter(FINALIZE_PARENT_JOB, {**given, "error": {"Error": type(error).__name__, "Cause": cause}})

    def _wait(self, given: dict[str, Any]) -> None:
        """Each try has a token of its own, which may be answered before its call returns; then the time goes by."""
        moved: list[bool] = []

        def go_on() -> None:
            if not moved:
                moved.append(True)
                self.enter(CHECK_ROWS, given)

        def deliver(number: int) -> bool:
            if moved:
                return True
            self._machine.issued += 1
            token = f"token {self._machine.issued}"
            self._machine.tokens[token] = go_on
            try:
                self._machine.call(WAIT_ROWS, self._name, self._input, given, token)
            except (SimulatedCrash, TransientError):
                self._machine.tokens.pop(token, None)
                if number < MOST_CALLS:
                    return False
            self._machine._enqueue("time of wait_rows", lambda _: pass_time(token))
            return True

        def pass_time(token: str) -> bool:
            if moved:
                return True
            if self._machine._rest(given["waitSeconds"]):
                self._machine.tokens.pop(token, None)
                go_on()
            else:
                self._machine._enqueue("time of wait_rows", lambda _: pass_time(token))
            return True

        self.visited.append(WAIT_ROWS)
        self._machine._enqueue(WAIT_ROWS, deliver)

    def _map(self, given: dict[str, Any]) -> None:
        is_csv = given["format"] == "CSV"
        self.visited.append(CSV_MAP if is_csv else JSONL_MAP)
        writes = CSV_ROWS_HANDLER if is_csv else JSONL_ROWS_HANDLER
        items = list(self._machine.read(given))
        size = self._machine.batch_rows
        batches = [
            {
                "BatchInput": {"Attributes": {name: given[name] for name in ("jobKey", "attempt")}},
                "Items": items[start : start + size],
            }
            for start in range(0, len(items), size)
        ]
        dies_after = self._machine.map_dies_after
        self._open_batches = len(batches) if dies_after is None else min(dies_after, len(batches))
        assert len(items) == given["rows"]
        if dies_after == 0:
            self._map_died(given)
        for batch in batches[: self._open_batches]:

            def failed(_: BaseException, batch: Any = batch) -> None:
                self._failed_batches.append(batch)
                self._batch_done(given)

            self._work(writes, {}, batch, lambda _: self._batch_done(given), failed)

    def _batch_done(self, given: dict[str, Any]) -> None:
        self._open_batches -= 1
        if self._open_batches:
            return
        if self._machine.map_dies_after is not None:
            self._map_died(given)
            return
        contents = self._machine._objects.contents
        folder = f"{RESULTS}/{self._name}"
        failed = [{"Input": json.dumps(batch), "Status": "FAILED"} for batch in self._failed_batches]
        files: dict[str, list[Any]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
        if failed:
            contents[f"{folder}/FAILED_0.json"] = json.dumps(failed).encode()
            files["FAILED"].append({"Key": f"{folder}/FAILED_0.json", "Size": 1})
        contents[f"{folder}/manifest.json"] = json.dumps({"ResultFiles": files}).encode()
        details = {"Bucket": self._machine._objects.bucket, "Key": f"{folder}/manifest.json"}
        self.enter(CHECK_ROWS, {**given, "map": {"MapRunArn": "arn:map", "ResultWriterDetails": details}})

    def _map_died(self, given: dict[str, Any]) -> None:
        self.enter(FINALIZE_PARENT_JOB, {**given, "mapError": {"Error": "States.ItemReaderFailed", "Cause": "it died"}})
