"""State machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from policy.model import Declared, Props, ResourceRule, StackRule, last_part, of_type, parsed

MACHINE = "aws:sfn/stateMachine:StateMachine"
#: Of an Express execution (Step Functions Developer Guide, "Service quotas").
EXPRESS_SECONDS = 300


def _logging(props: Props) -> Iterator[str]:
    logging = props.get("loggingConfiguration") or {}
    if not logging.get("level") or not str(logging.get("logDestination", "")).endswith(":*"):
        yield "loggingConfiguration needs a level and a log group's ARN that ends with ':*'"
    if logging.get("includeExecutionData"):
        yield "includeExecutionData writes record data to the log"


def _timeout(props: Props) -> Iterator[str]:
    timeout = parsed(props.get("definition")).get("TimeoutSeconds")
    if not isinstance(timeout, int) or timeout < 1:
        yield "the definition has no TimeoutSeconds: an execution may run for a year"
    elif props.get("type") == "EXPRESS" and timeout > EXPRESS_SECONDS:
        yield f"TimeoutSeconds is {timeout}; an Express execution ends after {EXPRESS_SECONDS} s"


def _own_role(resources: Sequence[Declared]) -> Iterator[tuple[Declared, str]]:
    machines = of_type(resources, MACHINE)
    users = Counter(one.props.get("roleArn") for one in machines)
    for one in machines:
        if not one.props.get("roleArn"):
            yield one, "has no role"
        elif users[one.props["roleArn"]] > 1:
            yield one, f"shares the role {last_part(one.props['roleArn'])}"


RULES = (
    ResourceRule("machine-logging", "errors are logged, record data isn't", (MACHINE,), _logging),
    ResourceRule("machine-timeout", "every execution ends", (MACHINE,), _timeout),
    StackRule("machine-own-role", "least privilege for each machine", _own_role),
)
