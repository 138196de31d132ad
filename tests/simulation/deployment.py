"""The program's own figures: environments, timeouts, definitions, mappings and rules, without deploying it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from contract.functions import APPLY, EVENTS
from contract.state_machines import COMMAND_MACHINES, INLINE, STANDARD
from contract.state_machines import MACHINES as OWN_MACHINES
from infra.capabilities import commands, events, outcomes, sweeper
from infra.capabilities.catalogue import environments as declared_environments
from infra.capabilities.commands import DEFINITIONS, STARTS_COMMAND, command_numbers
from infra.capabilities.outcomes import APPLIED_AT_ONCE, IMPORTED, STATUS_CHANGED
from infra.components.event_sources import STREAM_RECORD_AGE_SECONDS, STREAM_RETRIES
from infra.components.places import expected_places
from infra.components.rules import ENDED_BADLY
from infra.components.state_machines import load_definition
from infra.configuration.stack_config import StackConfig
from infra.definitions.substitution import override
from infra.naming.names import Account, Names
from local.sources.eventbridge import Rule, Target
from local.sources.filters import FilterSet
from local.sources.mappings import StreamMapping

REGION, ACCOUNT = "eu-central-1", "123456789012"
STREAM = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/cqrs-sim-commands/stream/1"
FAILURES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:cqrs-sim-stream-failures"
TIMEOUTS = {
    one.name: one.timeout for one in (commands.APPLY_SPEC, events.SPEC, outcomes.SPEC, commands.SPEC, sweeper.SPEC)
}

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z]+)FunctionArn\}")


def function_arn(name: str) -> str:
    """The ARN of one of the program's functions."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def machine_arn(kind: str) -> str:
    """The ARN of the command machine of a type."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{COMMAND_MACHINES[kind]}"


@cache
def definition_text(kind: str, wait_poll_seconds: int, wait_limit_hours: int) -> str:
    """The definition of a command machine as it is deployed."""
    config = StackConfig.from_mapping({"waitPollSeconds": wait_poll_seconds, "waitLimitHours": wait_limit_hours})
    numbers = command_numbers(config) if kind == STANDARD else {}
    return with_functions(json.dumps(override(load_definition(DEFINITIONS[kind]), numbers)))


def with_functions(text: str) -> str:
    """A definition with its functions' ARNs."""
    return _PLACEHOLDER.sub(lambda match: function_arn(match[1].lower()), text)


def environments(
    config: Mapping[str, Any],
    handler_modules: tuple[str, ...],
    custom_arns: Mapping[str, str] | None = None,
    machines: Mapping[str, str] | None = None,
) -> dict[str, dict[str, str]]:
    """What the functions find in their environment, as the program gives it to them.

    ``custom_arns``: the application's workflows; ``machines``: the stack's own, where they are called otherwise.
    """
    settings = StackConfig.from_mapping(config)
    names, account = Names("cqrs", "sim"), Account("aws", REGION, ACCOUNT)
    arns = {name: account.arn("states", f"stateMachine:{name}") for name in OWN_MACHINES} | dict(machines or {})
    places = replace(expected_places(names, account), machines=arns, custom_machines=dict(custom_arns or {}))
    declared = declared_environments(settings, places, [])
    modules = {"HANDLER_MODULES": ",".join(handler_modules)}
    return {
        name: {**{key: str(value) for key, value in variables.items()}, **modules}
        for name, variables in declared.items()
    }


def starts_function(command_workflow: str) -> str:
    """Which function new commands come to."""
    return APPLY if command_workflow == INLINE else EVENTS


def stream_mappings(lanes: int, command_workflow: str) -> list[StreamMapping]:
    """What the commands table's stream feeds, new commands first. More lanes than one let versions overtake each
    other.
    """
    config = StackConfig()
    return [
        stream_mapping(starts_function(command_workflow), STREAM, [STARTS_COMMAND], lanes),
        stream_mapping("outcomes", STREAM, [STATUS_CHANGED[config.status_events], APPLIED_AT_ONCE, IMPORTED], lanes),
    ]


def stream_mapping(
    function: str, stream_arn: str, patterns: Sequence[Mapping[str, Any]], lanes: int, batch_size: int | None = None
) -> StreamMapping:
    """One mapping, with what all streams have in common."""
    return StreamMapping(
        id=f"{function}-{stream_arn.split('/')[1]}-stream",
        function=function,
        stream_arn=stream_arn,
        filters=FilterSet([json.dumps(pattern) for pattern in patterns]),
        batch_size=batch_size or StackConfig().stream_batch_size,
        partial_responses=True,
        bisect=True,
        maximum_retry_attempts=STREAM_RETRIES,
        maximum_record_age=STREAM_RECORD_AGE_SECONDS,
        parallelization_factor=lanes,
        on_failure_arn=FAILURES,
    )


RULES = f"arn:aws:events:{REGION}:{ACCOUNT}:rule"


def ended_rule(name: str, machines: Sequence[str], function: str) -> Rule:
    """Executions of these machines that ended without recording it reach a function."""
    pattern = {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": list(ENDED_BADLY), "stateMachineArn": list(machines)},
    }
    return Rule(name, f"{RULES}/{name}", pattern=json.dumps(pattern), targets=[Target(function)])


def rules(sweep_minutes: int | None = None) -> list[Rule]:
    """What STANDARD executions of commands have; the sweeper's schedule."""
    ended = ended_rule("executions-ended-badly", [machine_arn(STANDARD)], "events")
    schedule = f"rate({sweep_minutes or StackConfig().sweep_minutes} minutes)"
    return [ended, Rule("sweep", f"{RULES}/sweep", schedule=schedule, targets=[Target("sweeper")])]
