"""Reads Task and Parallel, and the fields of every state that does work: Retry and Catch.

Source: Developer Guide, "Task workflow state", "Parallel workflow state", "Handling errors in Step Functions
workflows".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from local.states.definition.fields import MAX_SECONDS, Fields, refuse
from local.states.definition.model import EXPRESS, Branch, ParallelState, TaskState
from local.states.definition.state_fields import common, open_state
from local.states.errors import ALL, UnsupportedFeature
from local.states.integrations import in_aws
from local.states.running.retry import Catcher, Retrier

INVOKE = "arn:aws:states:::lambda:invoke"
INVOKE_WITH_TOKEN = "arn:aws:states:::lambda:invoke.waitForTaskToken"

#: The guide's upper bound of MaxDelaySeconds is "less than 31622400".
MAX_DELAY = 31_622_399

_FUNCTION_ARN = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[$A-Za-z0-9_-]+)?")
#: Optional fields of every state that does work.
WORK = ("Parameters", "ResultSelector", "ResultPath", "Retry", "Catch")
_INVOKE_PARAMETERS = ("FunctionName", "FunctionName.$", "Payload", "Payload.$")

#: Reads the StartAt and States of a nested branch.
ReadBranch = Callable[[Fields], Branch]


def parse_task(name: str, value: Any, where: str, machine_type: str) -> TaskState:
    """Read a Task. Raises ``UnsupportedFeature`` for a resource other than a function or lambda:invoke."""
    times = ("TimeoutSeconds", "TimeoutSecondsPath", "HeartbeatSeconds", "HeartbeatSecondsPath")
    fields = open_state(value, where, ("Resource", *WORK, *times))
    resource = in_aws(fields.text("Resource"))
    function = resource if _FUNCTION_ARN.fullmatch(resource) else None
    if function is None and resource not in (INVOKE, INVOKE_WITH_TOKEN):
        raise UnsupportedFeature(
            f"{fields.at('Resource')}: the resource {resource!r} is not supported "
            f"(supported: {INVOKE}, {INVOKE_WITH_TOKEN}, the ARN of a function)"
        )
    if resource == INVOKE_WITH_TOKEN and machine_type == EXPRESS:
        raise refuse(fields.at("Resource"), f"an EXPRESS machine can't use {INVOKE_WITH_TOKEN}")
    if function is None:
        _check_invoke_parameters(fields)
    fields.only_one("TimeoutSeconds", "TimeoutSecondsPath")
    fields.only_one("HeartbeatSeconds", "HeartbeatSecondsPath")
    timeout, heartbeat = fields.seconds("TimeoutSeconds"), fields.seconds("HeartbeatSeconds")
    if timeout is not None and heartbeat is not None and heartbeat >= timeout:
        raise refuse(fields.at("HeartbeatSeconds"), f"must be smaller than TimeoutSeconds ({timeout}), not {heartbeat}")
    return TaskState(
        **work(name, fields),
        parameters=fields.template("Parameters"),
        resource=resource,
        function=function,
        wait_for_token=resource == INVOKE_WITH_TOKEN,
        timeout=timeout,
        timeout_path=fields.optional_path("TimeoutSecondsPath", reference=True),
        heartbeat=heartbeat,
        heartbeat_path=fields.optional_path("HeartbeatSecondsPath", reference=True),
    )


def _check_invoke_parameters(fields: Fields) -> None:
    at = fields.at("Parameters")
    reason = "this parameter of lambda:invoke is not supported"
    unsupported = {name + end: reason for name in _OTHER_PARAMETERS for end in ("", ".$")}
    parameters = Fields(fields.value.get("Parameters", {}), at, _INVOKE_PARAMETERS, unsupported)
    parameters.only_one("FunctionName", "FunctionName.$", needed=True)
    parameters.only_one("Payload", "Payload.$")


_OTHER_PARAMETERS = ("ClientContext", "InvocationType", "LogType", "Qualifier")


def parse_parallel(name: str, value: Any, where: str, read_branch: ReadBranch) -> ParallelState:
    """Read a Parallel."""
    fields = open_state(value, where, ("Branches", *WORK))
    raw = fields.array("Branches")
    if not raw:
        raise refuse(fields.at("Branches"), "must be a non-empty array of branches")
    branches = tuple(
        read_branch(Fields(branch, f"{fields.at('Branches')}[{index}]", ("StartAt", "States")))
        for index, branch in enumerate(raw)
    )
    return ParallelState(**work(name, fields), parameters=fields.template("Parameters"), branches=branches)


def work(name: str, fields: Fields) -> dict[str, Any]:
    """The fields in ``WORK`` except Parameters, and those of every state, as keyword arguments of its class."""
    return {
        **common(name, fields),
        "result_selector": fields.template("ResultSelector"),
        "result_path": fields.path("ResultPath", reference=True),
        "retriers": tuple(_retriers(fields)),
        "catchers": tuple(_catchers(fields)),
    }


def _retriers(fields: Fields) -> list[Retrier]:
    raw = fields.array("Retry")
    names = ("ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy")
    retriers = []
    for index, entry in enumerate(raw):
        retrier = Fields(entry, f"{fields.at('Retry')}[{index}]", names)
        rate = retrier.value.get("BackoffRate", 2.0)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or rate < 1:
            raise refuse(retrier.at("BackoffRate"), f"must be a number of at least 1.0, not {rate!r}")
        jitter = retrier.value.get("JitterStrategy", "NONE")
        if jitter not in ("FULL", "NONE"):
            raise refuse(retrier.at("JitterStrategy"), f"must be FULL or NONE, not {jitter!r}")
        interval = retrier.seconds("IntervalSeconds")
        attempts = retrier.seconds("MaxAttempts", least=0, most=MAX_SECONDS)
        delay = retrier.seconds("MaxDelaySeconds", most=MAX_DELAY)
        if delay is not None and delay <= (interval or 1):
            raise refuse(retrier.at("MaxDelaySeconds"), f"must be greater than IntervalSeconds, not {delay}")
        retriers.append(
            Retrier(
                _errors(retrier, last=index == len(raw) - 1),
                interval=1 if interval is None else interval,
                max_attempts=3 if attempts is None else attempts,
                backoff_rate=float(rate),
                max_delay=delay,
                full_jitter=jitter == "FULL",
            )
        )
    return retriers


def _catchers(fields: Fields) -> list[Catcher]:
    raw = fields.array("Catch")
    catchers = []
    for index, entry in enumerate(raw):
        catcher = Fields(entry, f"{fields.at('Catch')}[{index}]", ("ErrorEquals", "Next", "ResultPath"), _CATCH_LATER)
        catchers.append(
            Catcher(
                _errors(catcher, last=index == len(raw) - 1),
                catcher.text("Next"),
                catcher.path("ResultPath", reference=True),
            )
        )
    return catchers


_CATCH_LATER = {
    "Assign": "variables (Assign) are not supported by this runtime yet",
    "Output": "JSONata (Output) is not supported, use JSONPath (ResultPath)",
}


def _errors(fields: Fields, *, last: bool) -> tuple[str, ...]:
    names = fields.array("ErrorEquals")
    at = fields.at("ErrorEquals")
    if not names or not all(isinstance(name, str) and name for name in names):
        raise refuse(at, "must be a non-empty array of error names")
    if ALL in names and (len(names) > 1 or not last):
        raise refuse(at, f"{ALL} must stand alone and in the last entry")
    return tuple(names)
