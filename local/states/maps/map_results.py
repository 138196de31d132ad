"""The result of a Distributed Map: the outputs of its children, or the location where its ResultWriter put them.

Source: Developer Guide, "ResultWriter (Map)". For a child that failed within the tolerance the outputs contain its
whole record ("If a child workflow execution fails, Step Functions returns its execution result unchanged").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from local.states.data.timestamps import format_timestamp
from local.states.errors import RESULT_WRITER_FAILED, StatesError
from local.states.limits import PAYLOAD_BYTES, dumps, payload_error, size
from local.states.maps.objects import ObjectError
from local.states.running.executions import SUCCEEDED, Execution

if TYPE_CHECKING:
    from local.states.maps.map_runs import MapRun
    from local.states.running.interpreter import Interpreter

#: Bytes after which a result file is written. AWS writes larger ones; readers follow the manifest.
FILE_BYTES = 16 * 1024 * 1024


class Results(Protocol):
    """Collects ended children. All methods raise ``StatesError``."""

    def add(self, number: int, child: Execution) -> None:
        """Add the ended child with this number, from 0 in the order of the items."""

    def finish(self) -> Any:
        """The Map's result, after all children have ended."""

    def abandon(self, aborted: Sequence[tuple[int, Execution]]) -> None:
        """Called when the Map Run fails because too many items failed; these children were stopped."""


class OutputArray:
    """The outputs in the order of the items. Above 256 KiB nothing is kept, as the state will fail."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._outputs: dict[int, Any] = {}
        self._bytes = 2

    def add(self, number: int, child: Execution) -> None:
        """See ``Results``."""
        output = child.output if child.status == SUCCEEDED else record(child)
        if self._bytes <= PAYLOAD_BYTES:
            self._bytes += size(output) + (1 if self._outputs else 0)
            self._outputs[number] = output
        if self._bytes > PAYLOAD_BYTES:
            self._outputs.clear()

    def finish(self) -> list[Any]:
        """See ``Results``."""
        if self._bytes > PAYLOAD_BYTES:
            raise payload_error(self._state)
        return [self._outputs[number] for number in sorted(self._outputs)]

    def abandon(self, aborted: Sequence[tuple[int, Execution]]) -> None:
        """See ``Results``: a failed Map has no output."""


class ResultWriter:
    """Writes the children's records to files in a bucket, in the order in which they end, and finally a manifest."""

    def __init__(self, run: Interpreter, map_run: MapRun, parameters: dict[str, Any]) -> None:
        bucket, prefix = parameters["Bucket"], parameters.get("Prefix", "")
        if not isinstance(bucket, str) or not bucket:
            raise _failed(f"Bucket must be a non-empty string, not {bucket!r}")
        if not isinstance(prefix, str):
            raise _failed(f"Prefix must be a string, not {prefix!r}")
        self._run = run
        self._map_run = map_run
        self._bucket = bucket
        folder = f"{prefix}/" if prefix and not prefix.endswith("/") else prefix
        self._folder = f"{folder}{map_run.id}/"
        self._files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
        self._records: dict[str, list[str]] = {"FAILED": [], "SUCCEEDED": []}
        self._sizes = {"FAILED": 0, "SUCCEEDED": 0}

    def add(self, number: int, child: Execution) -> None:
        """See ``Results``. Children that timed out or were stopped count as failed."""
        kind = "SUCCEEDED" if child.status == SUCCEEDED else "FAILED"
        text = dumps(record(child))
        self._records[kind].append(text)
        self._sizes[kind] += len(text)
        self._map_run.executions_written += 1
        self._map_run.items_written += child.items
        if self._sizes[kind] >= FILE_BYTES:
            self._flush(kind)

    def finish(self) -> dict[str, Any]:
        """See ``Results``."""
        for kind in self._records:
            if self._records[kind]:
                self._flush(kind)
        arn = self._map_run.arn
        manifest = {"DestinationBucket": self._bucket, "MapRunArn": arn, "ResultFiles": self._files}
        self._put("manifest.json", dumps(manifest).encode())
        details = {"Bucket": self._bucket, "Key": f"{self._folder}manifest.json"}
        return {"MapRunArn": arn, "ResultWriterDetails": details}

    def abandon(self, aborted: Sequence[tuple[int, Execution]]) -> None:
        """See ``Results``: the results so far are exported in this case, too."""
        for number, child in aborted:
            self.add(number, child)
        self.finish()

    def _flush(self, kind: str) -> None:
        body = f"[{','.join(self._records[kind])}]".encode()
        self._records[kind], self._sizes[kind] = [], 0
        name = f"{kind}_{len(self._files[kind])}.json"
        self._put(name, body)
        self._files[kind].append({"Key": f"{self._folder}{name}", "Size": len(body)})

    def _put(self, name: str, body: bytes) -> None:
        scheduler, caller = self._run.scheduler, self._run.execution.machine.name
        key = f"{self._folder}{name}"
        try:
            scheduler.wait(scheduler.execute(self._run.objects.write, caller, self._bucket, key, body))
        except ObjectError as error:
            raise _failed(str(error)) from error


def record(child: Execution) -> dict[str, Any]:
    """A child execution as in the result files: input and output are JSON texts."""
    stopped = child.started if child.stopped is None else child.stopped
    shown: dict[str, Any] = {
        "ExecutionArn": child.arn,
        "Input": child.input_text,
        "InputDetails": {"Included": True},
        "Name": child.name,
    }
    if child.status == SUCCEEDED:
        shown["Output"] = child.output_text
        shown["OutputDetails"] = {"Included": True}
    else:
        shown["Error"] = child.error or ""
        shown["Cause"] = child.cause or ""
    return {
        **shown,
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "the local runtime doesn't redrive executions",
        "StartDate": format_timestamp(child.started),
        "StateMachineArn": child.machine.arn,
        "Status": child.status,
        "StopDate": format_timestamp(stopped),
    }


def _failed(cause: str) -> StatesError:
    return StatesError(RESULT_WRITER_FAILED, cause, located=True)
