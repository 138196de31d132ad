"""The program's own figures: environments, timeouts, definitions, mappings and rules, without deploying it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from inspect import signature
from typing import Any

from infra.config import StackConfig
from infra.functions import STARTS_COMMAND, STATUS_CHANGED, STREAM_RECORD_AGE_SECONDS, STREAM_RETRIES
from infra.messaging import CONSUMER_TIMEOUT_SECONDS
from infra.rules import ENDED_BADLY
from infra.stack import (
    EVENTS_TIMEOUT_SECONDS,
    MACHINES,
    SWEEPER_TIMEOUT_SECONDS,
    WORKFLOW_TIMEOUT_SECONDS,
    _environments,
)
from infra.substitution import override
from infra.workflows import EXPRESS, STANDARD, command_numbers, load_definition
from local.sources.eventbridge import Rule, Target
from local.sources.filters import FilterSet
from local.sources.mappings import StreamMapping

REGION, ACCOUNT = "eu-central-1", "123456789012"
STREAM = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/cqrs-sim-commands/stream/1"
FAILURES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:cqrs-sim-stream-failures"
TIMEOUTS = {
    "events": EVENTS_TIMEOUT_SECONDS,
    "notifications": CONSUMER_TIMEOUT_SECONDS,
    "workflow": WORKFLOW_TIMEOUT_SECONDS,
    "sweeper": SWEEPER_TIMEOUT_SECONDS,
}
DEFINITIONS = {STANDARD: "command", EXPRESS: "command_express"}

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z]+)FunctionArn\}")


def function_arn(name: str) -> str:
    """The ARN of one of the program's functions."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def machine_arn(kind: str) -> str:
    """The ARN of the command machine of a type."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{MACHINES[kind]}"


@cache
def definition_text(kind: str, wait_poll_seconds: int, wait_limit_hours: int) -> str:
    """The definition of a command machine as it is deployed."""
    config = StackConfig.from_mapping({"waitPollSeconds": wait_poll_seconds, "waitLimitHours": wait_limit_hours})
    numbers = command_numbers(config) if kind == STANDARD else {}
    text = json.dumps(override(load_definition(DEFINITIONS[kind]), numbers))
    return _PLACEHOLDER.sub(lambda match: function_arn(match[1].lower()), text)


class _Named(str):
    """Stands for a declared resource: whatever is asked of it (an ARN, a name, a member) is a text."""

    __slots__ = ()

    def __getattr__(self, name: str) -> _Named:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Named(f"{self}-{name}")

    def __getitem__(self, name: Any) -> _Named:
        return _Named(f"{self}-{name}")


def environments(
    config: Mapping[str, Any], handler_modules: tuple[str, ...], custom_arns: Mapping[str, str] | None = None
) -> dict[str, dict[str, str]]:
    """What the functions find in their environment, as the program gives it to them.

    ``custom_arns``: the application's workflows.
    """
    settings = StackConfig.from_mapping(config)
    resource = _Named("cqrs-sim")
    known: dict[str, Any] = {
        "config": settings,
        "machine_arn": machine_arn(settings.command_workflow),
        "custom_arns": dict(custom_arns or {}),
    }
    declared = _environments(**{name: known.get(name, resource) for name in signature(_environments).parameters})
    modules = {"HANDLER_MODULES": ",".join(handler_modules)}
    return {
        name: {**{key: str(value) for key, value in variables.items()}, **modules}
        for name, variables in declared.items()
    }


def stream_mappings(lanes: int) -> list[StreamMapping]:
    """What the commands table's stream feeds; more lanes than one let versions overtake each other."""
    config = StackConfig()
    patterns = {"events": STARTS_COMMAND, "notifications": STATUS_CHANGED[config.status_events]}
    return [
        StreamMapping(
            id=f"{function}-commands-stream",
            function=function,
            stream_arn=STREAM,
            filters=FilterSet([json.dumps(pattern)]),
            batch_size=config.stream_batch_size,
            partial_responses=True,
            bisect=True,
            maximum_retry_attempts=STREAM_RETRIES,
            maximum_record_age=STREAM_RECORD_AGE_SECONDS,
            parallelization_factor=lanes,
            on_failure_arn=FAILURES,
        )
        for function, pattern in patterns.items()
    ]


def rules(sweep_minutes: int | None = None) -> list[Rule]:
    """STANDARD executions that ended without recording it reach the events function; the sweeper's schedule."""
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": list(ENDED_BADLY), "stateMachineArn": [machine_arn(STANDARD)]},
    }
    arn = f"arn:aws:events:{REGION}:{ACCOUNT}:rule"
    ended = Rule("executions-ended-badly", f"{arn}/ended", pattern=json.dumps(pattern), targets=[Target("events")])
    schedule = f"rate({sweep_minutes or StackConfig().sweep_minutes} minutes)"
    return [ended, Rule("sweep", f"{arn}/sweep", schedule=schedule, targets=[Target("sweeper")])]
