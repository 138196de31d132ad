"""Structural check of state machine definitions, before anything is deployed.

It adds our own rules to the language's: every task has a timeout, a Retry and a Catch; every wait for a token has a
timeout; ``States.ALL`` is alone and last. Source of the language's rules: Amazon States Language specification,
states-language.net.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from infra.definitions import distributed_maps
from infra.definitions.distributed_maps import check_distributed_map, is_distributed
from infra.definitions.shapes import misshapen

TASK_TOKEN = ".waitForTaskToken"
TERMINAL = frozenset({"Succeed", "Fail"})
TYPES = TERMINAL | {"Task", "Choice", "Map", "Parallel", "Wait", "Pass"}
LAMBDA_INVOKE = "arn:aws:states:::lambda:invoke"
#: Every task that calls a function must retry these (Step Functions Developer Guide, "Best practices", "Handle
#: transient Lambda service exceptions").
LAMBDA_ERRORS = frozenset(
    {
        "Lambda.ServiceException",
        "Lambda.AWSLambdaException",
        "Lambda.SdkClientException",
        "Lambda.TooManyRequestsException",
    }
)


#: Prefix of an integration's Resource (Step Functions Developer Guide, "Integrating services").
_OF_ANY_PARTITION = re.compile(r"^arn:aws:states:::")
NEEDS_CATCH = "a Task needs Catch"
CATCHES_ALL = "Catch must end with States.ALL"


class DefinitionError(Exception):
    """The definition is wrong. One line per problem, each naming the state."""

    def __init__(self, name: str, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{name}: {problem}" for problem in problems))


def check_shapes(name: str, definition: Any) -> None:
    """Check the types of fields; must run before any other check. Raises DefinitionError with every wrong field."""
    problems = list(misshapen(definition))
    if problems:
        raise DefinitionError(name, problems)


def check_definition(name: str, definition: Mapping[str, Any], *, needs_catch: bool = True) -> None:
    """Raises DefinitionError with every problem found, or only those of ``check_shapes`` if there are any.

    ``needs_catch``: every task needs a Catch, since a failure must be recorded before the execution ends.
    """
    check_shapes(name, definition)
    about_catch = (NEEDS_CATCH, CATCHES_ALL, distributed_maps.NEEDS_CATCH)
    problems = [one for one in _machine(definition, "") if needs_catch or not one.endswith(about_catch)]
    if not isinstance(definition.get("TimeoutSeconds"), int):
        problems.append("the machine needs TimeoutSeconds")
    if problems:
        raise DefinitionError(name, problems)


def in_partition(definition: Mapping[str, Any], partition: str) -> dict[str, Any]:
    """A copy with the integrations of an AWS partition: ``arn:aws-cn:states:::lambda:invoke``.

    Definitions are written with ``arn:aws:``, as in the documentation. Only fields that name an integration are
    changed, never data.
    """
    moved = copy.deepcopy(dict(definition))
    for _, state in all_states(moved):
        for holder in (state, state.get("ItemReader"), state.get("ResultWriter")):
            if isinstance(holder, dict) and isinstance(holder.get("Resource"), str):
                holder["Resource"] = _OF_ANY_PARTITION.sub(f"arn:{partition}:states:::", holder["Resource"])
    return moved


def task_resources(definition: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(Resource, FunctionName) of every task at any depth; the machine's role must allow them."""
    found = set()
    for _, state in tasks_of(definition):
        function = state.get("Parameters", {}).get("FunctionName", "")
        found.add((state["Resource"].removesuffix(TASK_TOKEN), function))
    return found


def tasks_of(machine: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and state of every task, at any depth."""
    return ((name, state) for name, state in all_states(machine) if state.get("Type") == "Task")


def distributed_maps_of(machine: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and state of every Map in Distributed mode; the machine's role must allow the Map's own calls."""
    return ((name, state) for name, state in all_states(machine) if is_distributed(state))


def all_states(machine: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and state of every state, at any depth."""
    for name, state in machine.get("States", {}).items():
        yield name, state
        for inner in _inner_machines(state):
            yield from all_states(inner)


def _inner_machines(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if state.get("Type") == "Map":
        return [state.get("ItemProcessor") or {}]
    return list(state.get("Branches", [])) if state.get("Type") == "Parallel" else []


def _machine(machine: Mapping[str, Any], path: str) -> Iterator[str]:
    states: Mapping[str, Any] = machine.get("States") or {}
    start = machine.get("StartAt")
    if not isinstance(start, str) or start not in states:
        yield f"{path or 'the machine'}: StartAt {start!r} is not a state; states: {', '.join(states) or 'none'}"
        return
    for name, state in states.items():
        yield from _state(name, state, states, f"{path}/{name}" if path else name)
    reached = _reachable(start, states)
    for name in states:
        if name not in reached:
            yield f"{name} can't be reached"
    if not any(states[name].get("Type") in TERMINAL or states[name].get("End") for name in reached):
        yield f"{path or 'the machine'} has no end"


def _state(name: str, state: Mapping[str, Any], states: Mapping[str, Any], path: str) -> Iterator[str]:
    kind = state.get("Type")
    if kind not in TYPES:
        yield f"{path}: Type {kind!r} is not one of {', '.join(sorted(TYPES))}"
        return
    if not state.get("Comment"):
        yield f"{path}: needs a Comment"
    for target in _targets(state):
        if target not in states:
            yield f"{path}: next state {target!r} does not exist"
    ends = kind in TERMINAL or bool(state.get("End")) or "Next" in state
    if kind == "Choice":
        ends = "Default" in state
    if not ends:
        yield f"{path}: needs {'Default' if kind == 'Choice' else 'Next or End'}"
    yield from _error_handlers(state, path)
    if kind == "Task":
        yield from _task(state, path)
    if is_distributed(state):
        yield from check_distributed_map(state, path)
    for inner in _inner_machines(state):
        yield from _machine(inner, path)


def _task(state: Mapping[str, Any], path: str) -> Iterator[str]:
    timeout = state.get("TimeoutSeconds")
    if (not isinstance(timeout, int) or timeout < 1) and not state.get("TimeoutSecondsPath"):
        waits = " (a wait for a token never ends without one)" if state.get("Resource", "").endswith(TASK_TOKEN) else ""
        yield f"{path}: a Task needs TimeoutSeconds{waits}"
    retried = {error for retrier in state.get("Retry", []) for error in retrier.get("ErrorEquals") or []}
    if not retried:
        yield f"{path}: a Task needs Retry"
    elif state.get("Resource", "").removesuffix(TASK_TOKEN) == LAMBDA_INVOKE and not retried >= LAMBDA_ERRORS:
        yield f"{path}: Retry lacks {', '.join(sorted(LAMBDA_ERRORS - retried))}"
    if state.get("Catch"):
        if state["Catch"][-1].get("ErrorEquals") != ["States.ALL"]:
            yield f"{path}: {CATCHES_ALL}"
    elif not state.get("End"):
        yield f"{path}: {NEEDS_CATCH}"


def _error_handlers(state: Mapping[str, Any], path: str) -> Iterator[str]:
    for field in ("Retry", "Catch"):
        handlers = state.get(field, [])
        for index, handler in enumerate(handlers):
            errors = handler.get("ErrorEquals")
            if not isinstance(errors, list) or not errors:
                yield f"{path}: {field}[{index}] needs ErrorEquals"
                continue
            if "States.ALL" in errors and (len(errors) > 1 or index < len(handlers) - 1):
                yield f"{path}: {field}[{index}]: States.ALL must be alone and last"
            if field == "Catch" and "Next" not in handler:
                yield f"{path}: Catch[{index}] needs Next"


def _targets(state: Mapping[str, Any]) -> list[str]:
    named = [state["Next"]] if "Next" in state else []
    named += [state["Default"]] if "Default" in state else []
    named += [choice.get("Next") for choice in state.get("Choices", [])]
    named += [handler["Next"] for handler in state.get("Catch", []) if "Next" in handler]
    return named


def _reachable(start: str, states: Mapping[str, Any]) -> set[str]:
    reached: set[str] = set()
    open_states = [start]
    while open_states:
        name = open_states.pop()
        if name not in reached and name in states:
            reached.add(name)
            open_states.extend(_targets(states[name]))
    return reached
