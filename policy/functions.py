"""Functions and their event sources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from policy.model import Declared, Props, ResourceRule, StackRule, last_part, of_type

FUNCTION = "aws:lambda/function:Function"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
INVOKE_CONFIG = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
PERMISSION = "aws:lambda/permission:Permission"
TARGET = "aws:cloudwatch/eventTarget:EventTarget"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
#: Services that invoke functions synchronously.
WAITING = ("apigateway.amazonaws.com",)
RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
EXPLICIT = ("memorySize", "timeout", "architectures", "runtime", "environment", "tracingConfig")
MAX_RETRIES = 100
MAX_AGE_SECONDS = 86_400


def _explicit(props: Props) -> Iterator[str]:
    for name in EXPLICIT:
        if not props.get(name):
            yield f"{name} is not set"


def _runtime(props: Props) -> Iterator[str]:
    if props.get("runtime") not in RUNTIMES:
        yield f"runtime is {props.get('runtime')!r}, not one of {', '.join(RUNTIMES)}"


def _own_role(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    functions = of_type(resources, FUNCTION)
    users = Counter(one.props.get("role") for one in functions)
    for one in functions:
        if not one.props.get("role"):
            yield one, "has no role"
        elif users[one.props["role"]] > 1:
            yield one, f"shares the role {last_part(one.props['role'])}"


def _log_group(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    names = {one.props.get("name") for one in of_type(resources, LOG_GROUP)}
    for one in of_type(resources, FUNCTION):
        name = f"/aws/lambda/{one.props.get('name')}"
        if name not in names:
            yield one, f"there is no log group {name}: Lambda would make one that keeps logs for ever"


def _retention(props: Props) -> Iterator[str]:
    if not props.get("retentionInDays"):
        yield "retentionInDays is not set: logs are kept for ever"


def _reports_failures(props: Props) -> Iterator[str]:
    if "ReportBatchItemFailures" not in (props.get("functionResponseTypes") or []):
        yield "functionResponseTypes lacks ReportBatchItemFailures"


def _stream_source(props: Props) -> Iterator[str]:
    if "/stream/" not in str(props.get("eventSourceArn")):
        return
    if props.get("startingPosition") != "TRIM_HORIZON":
        yield f"startingPosition is {props.get('startingPosition')!r}, not 'TRIM_HORIZON'"
    if not props.get("bisectBatchOnFunctionError"):
        yield "bisectBatchOnFunctionError is not true"
    if not 0 <= props.get("maximumRetryAttempts", -1) <= MAX_RETRIES:
        yield f"maximumRetryAttempts is {props.get('maximumRetryAttempts')}, not 0 to {MAX_RETRIES}"
    if not 60 <= props.get("maximumRecordAgeInSeconds", -1) <= MAX_AGE_SECONDS:
        yield f"maximumRecordAgeInSeconds is {props.get('maximumRecordAgeInSeconds')}, not 60 to {MAX_AGE_SECONDS}"
    if not ((props.get("destinationConfig") or {}).get("onFailure") or {}).get("destinationArn"):
        yield "has no on-failure destination"
    if not (props.get("filterCriteria") or {}).get("filters"):
        yield "has no filter: the function is called for every change"


def _queue_source(props: Props) -> Iterator[str]:
    if ":sqs:" in str(props.get("eventSourceArn")) and not (props.get("scalingConfig") or {}).get("maximumConcurrency"):
        yield "scalingConfig has no maximumConcurrency"


def _kept_failures(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    """Functions that a rule or another service invokes asynchronously keep events that fail permanently."""
    kept = {
        last_part(one.props.get("functionName"))
        for one in of_type(resources, INVOKE_CONFIG)
        if ((one.props.get("destinationConfig") or {}).get("onFailure") or {}).get("destination")
    }
    called = {
        last_part(one.props.get("function"))
        for one in of_type(resources, PERMISSION)
        if one.props.get("principal") not in WAITING
    }
    for one in of_type(resources, FUNCTION):
        if one.props.get("name") in called - kept:
            yield one, "is called asynchronously and has no on-failure destination"
    for one in of_type(resources, TARGET):
        if not (one.props.get("deadLetterConfig") or {}).get("arn"):
            yield one, "has no dead-letter queue for what can't be delivered"


RULES = (
    ResourceRule("function-explicit", "nothing is left to AWS's defaults", (FUNCTION,), _explicit),
    ResourceRule("function-runtime", "a Python that AWS supports", (FUNCTION,), _runtime),
    StackRule("function-own-role", "least privilege for each function", _own_role),
    StackRule("function-log-group", "a log group of our own", _log_group),
    ResourceRule("log-retention", "logs expire", (LOG_GROUP,), _retention),
    StackRule("async-failures-kept", "an event that fails permanently isn't lost", _kept_failures),
    ResourceRule("source-partial-failures", "good records of a batch aren't repeated", (MAPPING,), _reports_failures),
    ResourceRule("source-stream-bounded", "one bad record blocks no shard and isn't lost", (MAPPING,), _stream_source),
    ResourceRule("source-queue-concurrency", "a queue can't take all concurrency", (MAPPING,), _queue_source),
)
