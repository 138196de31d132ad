"""EDGE-24, EDGE-25: rows that are bad in ten ways, on the deployed program: none is tried twice, and the job ends."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from handlers.core.clock import seconds_of
from handlers.imports.jobs.model import DIRECT, STEP_FUNCTION
from local.functions.model import InvokeResult
from tests.support.deployments import RECORDING
from tests.support.imports import DeployedImports

WITHIN_SECONDS = 60.0
#: How a row is bad, to the code in the report.
REASONS = {
    "validate": "InvalidValue",
    "number": "ValueError",
    "missing": "KeyError",
    "division": "ZeroDivisionError",
    "hash": "InvalidValue",
    "at": "InvalidValue",
    "long": "InvalidValue",
    "empty": "InvalidValue",
    "compare": "AttributeError",
    "values": "TooManyValues",
}
CODES = {"hash": "a#{}", "at": "a@{}", "long": "x" * 1_100 + "{}", "empty": "", "compare": "compare{}"}


def content(rows: int) -> bytes:
    """Every tenth row is bad, in one way after the other."""
    ways = list(REASONS)
    lines = ["number,code,fault"]
    for number in range(1, rows + 1):
        fault = ways[number // 10 % len(ways)] if number % 10 == 0 else ""
        code = CODES.get(fault, "c{}").format(number)
        lines.append(f"{number},{code},{fault}" + (",more" if fault == "values" else ""))
    return "\n".join(lines).encode()


@pytest.mark.parametrize("mode", [DIRECT, STEP_FUNCTION])
@pytest.mark.parametrize("rows", [200, 1_000])
def test_edge_24_25_a_thousand_rows_of_which_a_tenth_is_bad_in_ten_ways(tmp_path: Path, mode: str, rows: int) -> None:
    received: Counter[str] = Counter()

    def count(function: str, payload: Any, proceed: Any) -> InvokeResult:
        for record in payload.get("Records", ()):
            if function.endswith("-imports") and record.get("eventSource") == "aws:sqs":
                received[record["messageId"]] += 1
        result: InvokeResult = proceed(payload)
        return result

    with DeployedImports(tmp_path, config={"handlerModules": json.dumps([RECORDING])}) as deployed:
        deployed.runtime.host.interceptors.append(count)
        began = deployed.scheduler.now()
        job = deployed.import_file(content(rows), table="faulty", mode=mode)
        seconds = seconds_of(job.updated_at) - began
        # The runtime's clock goes on only where somebody waits: a message that came again would show here.
        print(f"{mode}: the job ended after {seconds:.1f} s; {sum(received.values())} receives")
        assert seconds <= WITHIN_SECONDS
        assert set(received.values()) == {1}, "no message came twice"
        assert (job.status, job.mode) == ("FAILED", mode)
        assert (job.counts.total, job.counts.applied, job.counts.failed) == (rows, rows // 10 * 9, rows // 10)
        header, *told = csv.reader(io.StringIO(deployed.report(job)))
        assert header[:7] == ["row", "line", "code", "message", "number", "code", "fault"]
        assert [int(row[0]) for row in told] == list(range(10, rows + 1, 10))
        assert all(row[3] for row in told)
        assert Counter((row[6], row[2]) for row in told) == dict.fromkeys(REASONS.items(), rows // 100)
        assert deployed.drain(deployed.runtime.outputs["deadLetterQueueUrls"]["import-action-queue"]) == []
