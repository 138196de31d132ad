"""The context object, the second argument of a Lambda function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from local.functions.model import FunctionSpec


@dataclass(frozen=True)
class LambdaContext:
    """The documented attributes (Lambda Developer Guide, "Using the Lambda context object to retrieve Python
    function information"), without the mobile ones.
    """

    aws_request_id: str
    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: int
    log_group_name: str
    log_stream_name: str
    deadline: float
    now: Callable[[], float]

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the call times out; 0 if it has."""
        return max(int((self.deadline - self.now()) * 1000), 0)


def make_context(spec: FunctionSpec, request_id: str, now: Callable[[], float]) -> LambdaContext:
    """The context of a call that starts now."""
    day = datetime.fromtimestamp(now(), UTC).strftime("%Y/%m/%d")
    return LambdaContext(
        aws_request_id=request_id,
        function_name=spec.name,
        function_version="$LATEST",
        invoked_function_arn=spec.arn,
        memory_limit_in_mb=spec.memory_mb,
        log_group_name=f"/aws/lambda/{spec.name}",
        log_stream_name=f"{day}/[$LATEST]{request_id.replace('-', '')}",
        deadline=now() + spec.timeout_s,
        now=now,
    )
