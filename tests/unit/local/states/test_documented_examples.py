"""Every file in tests/fixtures/asl is an example from AWS documentation, or what AWS did as somebody recorded it
(``captured_*``), with its source; our engine must agree.

Keys of a file: ``source``, ``definition``, ``input``, ``objects`` (bucket/key -> its versions), ``tasks`` (function ->
outcomes, the last one repeats: ``return``, ``echo``, ``error`` with ``message``, ``sleep``, ``succeed_token``) and
``expected`` (``status``, and where given ``output``, ``error``, ``cause``, ``visited``, ``calls`` = payloads in order,
``calls_any_order``, ``waits`` = seconds between calls, ``waits_at_most`` = their upper limits, ``seconds`` = length of
the execution, ``events`` = types in the history).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from .conftest import Failed, Runtime

EXAMPLES = sorted((Path(__file__).parents[3] / "fixtures" / "asl").glob("*.json"))


def outcomes(runtime: Runtime, script: list[dict[str, Any]]) -> Callable[[Any], Any]:
    steps: Iterator[dict[str, Any]] = iter(script)
    last: dict[str, Any] = {}

    def behave(event: Any) -> Any:
        nonlocal last
        last = next(steps, last)
        if "sleep" in last:
            runtime.scheduler.sleep(last["sleep"])
        if "succeed_token" in last:
            runtime.manager.send_task_success(event["token"], json.dumps(last["succeed_token"]))
        if "error" in last:
            raise Failed(last["error"], last.get("message", ""))
        return event if last.get("echo") else last.get("return")

    return behave


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_documented_example(path: Path, runtime: Runtime) -> None:
    example = json.loads(path.read_text())
    assert example["source"]
    runtime.functions.behaviours = {
        name: outcomes(runtime, script) for name, script in example.get("tasks", {}).items()
    }
    runtime.objects.load(example.get("objects", {}))
    arn = runtime.machine(example["definition"], name="stateMachineName")
    execution = runtime.manager.start_execution(arn, "executionName", json.dumps(example["input"]))
    runtime.scheduler.run_until_idle()

    expected = example["expected"]
    found = {
        "status": execution.status,
        "output": execution.output,
        "error": execution.error,
        "cause": execution.cause,
        "visited": execution.visited(),
        "events": [event.type for event in runtime.manager.history(execution.arn)],
        "seconds": runtime.seconds(execution),
        "calls": [call.payload for call in runtime.functions.calls],
        "calls_any_order": sorted((call.payload for call in runtime.functions.calls), key=json.dumps),
        "waits": [round(b.at - a.at, 3) for a, b in pairwise(runtime.functions.calls)],
    }
    limits = expected.pop("waits_at_most", None)
    if limits is not None:
        waits = found["waits"]
        assert len(waits) == len(limits)
        assert all(0 <= wait <= limit for wait, limit in zip(waits, limits, strict=True)), waits
    if "calls_any_order" in expected:
        expected["calls_any_order"].sort(key=json.dumps)
    assert {key: found[key] for key in expected} == expected


def test_there_are_examples_for_every_state_type() -> None:
    text = "".join(path.read_text() for path in EXAMPLES)
    types = ("Task", "Choice", "Map", "Wait", "Pass", "Succeed", "Fail", "Parallel")
    assert [kind for kind in types if f'"Type": "{kind}"' not in text] == []
