"""Responses of the Step Functions API about Map Runs (API reference, DescribeMapRun and ListMapRuns)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from local.states.maps.map_runs import MapRun
from local.states.running.executions import ABORTED, FAILED, RUNNING, SUCCEEDED, TIMED_OUT

_COUNTED = {"running": RUNNING, "succeeded": SUCCEEDED, "failed": FAILED, "timedOut": TIMED_OUT, "aborted": ABORTED}


def map_run_summary(map_run: MapRun) -> dict[str, Any]:
    """An entry of ListMapRuns."""
    answer = {
        "executionArn": map_run.execution_arn,
        "mapRunArn": map_run.arn,
        "stateMachineArn": map_run.machine.arn,
        "startDate": map_run.started,
    }
    if map_run.stopped is not None:
        answer["stopDate"] = map_run.stopped
    return answer


def map_run_description(map_run: MapRun) -> dict[str, Any]:
    """The answer of DescribeMapRun. Children are created when they can run, so none are pending."""
    answer = map_run_summary(map_run)
    del answer["stateMachineArn"]
    return {
        **answer,
        "status": map_run.status,
        "maxConcurrency": map_run.max_concurrency,
        "toleratedFailurePercentage": map_run.tolerated_percentage or 0.0,
        "toleratedFailureCount": map_run.tolerated_count or 0,
        "itemCounts": _counts(map_run.items, map_run.items_written),
        "executionCounts": _counts(map_run.executions, map_run.executions_written),
        "redriveCount": 0,
    }


def _counts(counter: Counter[str], written: int) -> dict[str, int]:
    lost = counter[FAILED] + counter[TIMED_OUT] + counter[ABORTED]
    return {
        **{name: counter[status] for name, status in _COUNTED.items()},
        "pending": 0,
        "total": counter.total(),
        "resultsWritten": written,
        "failuresNotRedrivable": lost,
        "pendingRedrive": 0,
    }
