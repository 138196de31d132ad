"""The application's workflows: found in the packaged modules without running them, completed and checked.

A workflow is a class with ``@workflow("name")`` in one of the configured modules, and ``<name>.asl.json`` next to the
module. The class is read with ``ast``: this package never imports ``handlers``.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from contract.state_machines import EXPRESS, SOURCE
from infra.definitions import json_files
from infra.definitions.checks import (
    LAMBDA_INVOKE,
    TASK_TOKEN,
    DefinitionError,
    check_definition,
    check_shapes,
    distributed_maps_of,
    tasks_of,
)
from infra.definitions.workflow_sources import SUFFIX, Declared, declared_workflows, member_of, orphans

FUNCTION = "${StatesFunctionArn}"
STATE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_EXPRESS_SECONDS = 300

#: Default payload and Retry of a Lambda state (docs/spec/pipeline.md).
PAYLOAD = {
    "source": SOURCE,
    "context": {
        "Execution": {
            "Id.$": "$$.Execution.Id",
            "Name.$": "$$.Execution.Name",
            "StartTime.$": "$$.Execution.StartTime",
            "Input.$": "$$.Execution.Input",
        },
        "State": {
            "EnteredTime.$": "$$.State.EnteredTime",
            "Name.$": "$$.State.Name",
            "RetryCount.$": "$$.State.RetryCount",
        },
        "StateMachine": {"Id.$": "$$.StateMachine.Id", "Name.$": "$$.StateMachine.Name"},
    },
    "input.$": "$",
}
RETRY = [
    {
        "ErrorEquals": [
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.ClientExecutionTimeoutException",
            "Lambda.TooManyRequestsException",
        ],
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": 6,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    },
    {
        "ErrorEquals": [
            "Lambda.Unknown",
            "Sandbox.Timedout",
            "Runtime.ExitError",
            "TransientError",
            "TransientThrottle",
            "TransientConflict",
        ],
        "IntervalSeconds": 2,
        "BackoffRate": 2,
        "MaxAttempts": 3,
    },
]


@dataclass(frozen=True)
class CustomWorkflow:
    """One workflow. ``definition`` is completed and checked; ``source`` is its path in the archive."""

    name: str
    type: str
    source: str
    definition: dict[str, Any]


def find_workflows(
    members: Mapping[str, Path], modules: Sequence[str], taken: Mapping[str, str] | None = None
) -> list[CustomWorkflow]:
    """The workflows of the configured modules, by name.

    ``taken``: names that the stack uses itself, in lower case, each with the kind of resource. Names are compared
    ignoring case, because a machine's role has its name, and role names must differ in more than case (IAM API
    reference, CreateRole).

    Raises:
        DefinitionError: one line per problem, each naming the module or definition.
    """
    problems: list[str] = []
    used = taken or {}
    found: dict[str, CustomWorkflow] = {}
    places: dict[str, str] = {}
    for module in modules:
        member = member_of(members, module)
        for declared in declared_workflows(module, members[member], problems):
            where = f"{module}.{declared.cls}"
            plain = declared.name.lower()
            if plain in used:
                taken_by = f"the stack's {used[plain]} has this name, ignoring case"
                problems.append(f"{where}: workflow name {declared.name!r} is not allowed; {taken_by}")
                continue
            if plain in places:
                problems.append(f"{where}: workflow {declared.name!r} is already used by {places[plain]}")
                continue
            places[plain] = where
            one = _workflow(declared, str(PurePosixPath(member).parent / f"{declared.name}{SUFFIX}"), members, problems)
            if one is not None:
                found[one.name] = one
    problems.extend(orphans(members, modules))
    if problems:
        raise DefinitionError("cqrs:handlerModules", problems)
    return [found[name] for name in sorted(found)]


def complete(definition: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which every Lambda state has the common fields, unless it sets them itself.

    ``Parameters``: the states function and the payload, with the task token if the state waits for one.
    ``Retry``: transient errors. ``OutputPath``: the method's result, unless ``ResultPath``, ``ResultSelector`` or
    ``OutputPath`` is set; the result of a state that waits for a token is the answer to it.
    """
    completed = copy.deepcopy(dict(definition))
    for _, state in tasks_of(completed):
        resource = state.get("Resource", "")
        if not isinstance(resource, str) or resource.removesuffix(TASK_TOKEN) != LAMBDA_INVOKE:
            continue
        waits = resource.endswith(TASK_TOKEN)
        token = {"taskToken.$": "$$.Task.Token"} if waits else {}
        if "Parameters" not in state:
            state["Parameters"] = {"FunctionName": FUNCTION, "Payload": {**copy.deepcopy(PAYLOAD), **token}}
        state.setdefault("Retry", copy.deepcopy(RETRY))
        if not waits and not {"ResultPath", "ResultSelector", "OutputPath"} & set(state):
            state["OutputPath"] = "$.Payload[0][0]"
    return completed


def check_workflow(name: str, type_: str, definition: Mapping[str, Any], methods: Sequence[str]) -> None:
    """Check a completed definition against the rules and the class's methods.

    Raises:
        DefinitionError: one line per problem.
    """
    check_shapes(name, definition)
    problems: list[str] = []
    try:
        check_definition(name, definition, needs_catch=False)
    except DefinitionError as error:
        problems += error.problems
    problems += [
        f"{one}: a Map with Mode DISTRIBUTED is not supported here, the role lacks what it needs; expected Mode INLINE"
        for one, _ in distributed_maps_of(definition)
    ]
    states = []
    for state_name, state in tasks_of(definition):
        resource = state.get("Resource")
        if not isinstance(resource, str) or resource.removesuffix(TASK_TOKEN) != LAMBDA_INVOKE:
            problems.append(
                f"{state_name}: the integration {resource!r} is not supported; expected {LAMBDA_INVOKE} or "
                f"{LAMBDA_INVOKE}{TASK_TOKEN}"
            )
            continue
        states.append(state_name)
        problems += _lambda_state(state_name, state, type_)
    problems += [f"{one}: no method of the class handles this state" for one in states if one not in methods]
    problems += [
        f"method {one!r} of the class is not a Lambda state of the definition" for one in methods if one not in states
    ]
    seconds = definition.get("TimeoutSeconds")
    if type_ == EXPRESS and isinstance(seconds, int) and seconds > _EXPRESS_SECONDS:
        problems.append(f"TimeoutSeconds of an EXPRESS workflow is at most {_EXPRESS_SECONDS}")
    if problems:
        raise DefinitionError(name, problems)


def _lambda_state(name: str, state: Mapping[str, Any], type_: str) -> Iterator[str]:
    if not STATE.fullmatch(name):
        yield f"{name}: a Lambda state has the name of its method: letters, digits and '_', starting with a letter"
    parameters = state.get("Parameters", {})
    function = parameters.get("FunctionName") if isinstance(parameters, Mapping) else None
    if function != FUNCTION:
        yield f"{name}: FunctionName {function!r} is not allowed; expected {FUNCTION}"
    if str(state["Resource"]).endswith(TASK_TOKEN):
        if type_ == EXPRESS:
            yield f"{name}: an EXPRESS workflow can't wait for a task token; use a STANDARD one"
        payload = parameters.get("Payload", {}) if isinstance(parameters, Mapping) else {}
        if not isinstance(payload, Mapping) or payload.get("taskToken.$") != "$$.Task.Token":
            yield f'{name}: Payload lacks "taskToken.$": "$$.Task.Token", so it could not be answered'


def _workflow(
    declared: Declared, source: str, members: Mapping[str, Path], problems: list[str]
) -> CustomWorkflow | None:
    where = f"{declared.module}.{declared.cls}"
    if source not in members:
        problems.append(f"{where}: the definition {source} is missing")
        return None
    try:
        written = _loaded(members[source])
        check_shapes(declared.name, written)
        definition = complete(written)
        check_workflow(declared.name, declared.type, definition, declared.methods)
    except DefinitionError as error:
        problems += [f"{source}: {problem}" for problem in error.problems]
        return None
    except ValueError as error:
        problems.append(f"{source}: {error}")
        return None
    except RecursionError:
        problems.append(f"{source}: {json_files.TOO_DEEP}")
        return None
    return CustomWorkflow(declared.name, declared.type, source, definition)


def _loaded(path: Path) -> dict[str, Any]:
    try:
        definition = json_files.parse(path.read_text(encoding="utf-8"))
    except json_files.RepeatedKey:
        raise
    except ValueError as error:
        raise ValueError(f"the definition is not JSON: {error}") from None
    states = definition.get("States") if isinstance(definition, dict) else None
    if not isinstance(states, dict) or not all(isinstance(one, dict) for one in states.values()):
        raise ValueError("the definition is not an object with States, each an object")
    return dict(definition)
