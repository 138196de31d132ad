"""Errors that a test injects into the functions' AWS calls."""

from __future__ import annotations

from dataclasses import dataclass

from botocore.session import get_session

from local.aws.model import AwsCall

#: The services' error codes for throttling, where it isn't ``ThrottlingException`` (their API references).
THROTTLES = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "s3": "SlowDown",
    "sqs": "RequestThrottled",
    "sns": "Throttled",
}


@dataclass
class _Planned:
    call: str
    code: str
    left: int


class CallFaults:
    """Answers some calls with an error instead of making them. ``botocore`` retries them as it would on AWS."""

    def __init__(self) -> None:
        self._planned: list[_Planned] = []

    def plan(self, call: str, code: str | None, times: int) -> None:
        """Make the functions' next ``times`` calls of ``service.Operation`` fail; without a code they are throttled.

        Raises:
            ValueError: there is no such call.
        """
        service, _, operation = call.partition(".")
        session = get_session()
        if (
            service not in session.get_available_services()
            or operation not in session.get_service_model(service).operation_names
        ):
            raise ValueError(f"no call {call!r}; expected one like dynamodb.PutItem")
        self._planned.append(_Planned(call, code or THROTTLES.get(service, "ThrottlingException"), times))

    @property
    def left(self) -> dict[str, int]:
        """The number of planned faults that have not occurred yet, by call."""
        return {one.call: one.left for one in self._planned}

    def before(self, call: AwsCall) -> str | None:
        """The error code for a call that is planned to fail."""
        if call.caller is None:
            return None
        for one in self._planned:
            if one.left > 0 and one.call == f"{call.service}.{call.operation}":
                one.left -= 1
                return one.code
        return None

    def after(self, call: AwsCall) -> None:
        """Do nothing."""
