"""Reads a definition (ASL, JSONPath) and rejects anything wrong or unknown, by name and JSON path.

Source: Amazon States Language specification; Developer Guide, "Using Amazon States Language to define
Step Functions workflows".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from infra.definitions import json_files
from local.states.data.templates import Template, parse_expression
from local.states.data.timestamps import parse_timestamp
from local.states.definition.choice import parse_rule
from local.states.definition.fields import Fields, refuse
from local.states.definition.map_definition import parse_map
from local.states.definition.model import (
    EXPRESS,
    STANDARD,
    Branch,
    ChoiceState,
    Definition,
    FailState,
    PassState,
    State,
    SucceedState,
    WaitState,
)
from local.states.definition.state_fields import UNSUPPORTED, common, open_state
from local.states.definition.work_definition import parse_parallel, parse_task
from local.states.errors import InvalidDefinition, UnsupportedFeature
from local.states.limits import NAME_CHARACTERS

#: Definitions that are kept parsed: simulations create the same machines thousands of times.
MOST_PARSED = 64

_JSONATA = "JSONata is not supported, use JSONPath"


def validate(definition: str | Mapping[str, Any], machine_type: str = STANDARD) -> None:
    """Check a definition.

    Raises:
        UnsupportedFeature: a state type, field, function or resource that this runtime doesn't know.
        InvalidDefinition: anything else that is wrong, for example a Next that leads nowhere.
    """
    parse_definition(definition, machine_type)


def parse_definition(definition: str | Mapping[str, Any], machine_type: str = STANDARD) -> Definition:
    """Check a definition and parse it for the interpreter. Raises the same as ``validate``."""
    return _parse_text(definition, machine_type) if isinstance(definition, str) else _parse(definition, machine_type)


@lru_cache(MOST_PARSED)
def _parse_text(text: str, machine_type: str) -> Definition:
    """Parsed definitions are never modified, so machines may share them."""
    try:
        definition = json_files.parse(text)
    except ValueError as error:
        raise InvalidDefinition(f"$: the definition is not JSON: {error}") from error
    return _parse(definition, machine_type)


def _parse(definition: Any, machine_type: str) -> Definition:
    if machine_type not in (STANDARD, EXPRESS):
        raise InvalidDefinition(f"type: must be {STANDARD} or {EXPRESS}, not {machine_type!r}")
    fields = Fields(
        definition,
        "$",
        ("StartAt", "States", "Version", "TimeoutSeconds", "QueryLanguage"),
        {"Assign": UNSUPPORTED["Assign"]},
    )
    _check_language(fields)
    if fields.value.get("Version", "1.0") != "1.0":
        raise refuse("$.Version", f"must be '1.0', not {fields.value['Version']!r}")
    reader = _Reader(machine_type)
    branch = reader.branch(fields)
    return Definition(branch, fields.seconds("TimeoutSeconds"))


def _check_language(fields: Fields) -> None:
    if fields.value.get("QueryLanguage", "JSONPath") != "JSONPath":
        raise UnsupportedFeature(f"{fields.at('QueryLanguage')}: {_JSONATA}")


class _Reader:
    """Reads branches; knows every state name of the machine, because names are unique within it."""

    def __init__(self, machine_type: str) -> None:
        self.machine_type = machine_type
        self.in_child = False
        self.names: set[str] = set()
        self.parsers: Mapping[str, Callable[[str, Any, str], State]] = {
            "Pass": self._pass,
            "Task": lambda name, value, where: parse_task(name, value, where, self.machine_type),
            "Choice": self._choice,
            "Wait": self._wait,
            "Succeed": self._succeed,
            "Fail": self._fail,
            "Map": lambda name, value, where: parse_map(name, value, where, self),
            "Parallel": lambda name, value, where: parse_parallel(name, value, where, self.branch),
        }

    def branch(self, fields: Fields) -> Branch:
        """Read ``StartAt`` and ``States`` of a machine or of a nested branch."""
        start_at = fields.text("StartAt")
        raw = fields.value.get("States")
        if not isinstance(raw, dict) or not raw:
            raise refuse(fields.at("States"), "must be a non-empty object of states")
        if start_at not in raw:
            raise refuse(fields.at("StartAt"), f"there is no state {start_at!r} in {fields.at('States')}")
        states = {name: self._state(name, value, f"{fields.at('States')}.{name}") for name, value in raw.items()}
        for name, state in states.items():
            for field, target in _targets(state):
                if target not in states:
                    raise refuse(f"{fields.at('States')}.{name}.{field}", f"there is no state {target!r}")
        if not any(state.next is None and not isinstance(state, ChoiceState) for state in states.values()):
            raise refuse(fields.at("States"), "no state ends the branch (End, Succeed or Fail)")
        return Branch(start_at, states)

    def child(self, fields: Fields, execution_type: str) -> Branch:
        """Read the states that run as child executions of that type."""
        outer = self.machine_type
        self.machine_type, self.in_child = execution_type, True
        try:
            return self.branch(fields)
        finally:
            self.machine_type, self.in_child = outer, False

    def _state(self, name: str, value: Any, where: str) -> State:
        if not name or len(name) > NAME_CHARACTERS:
            raise refuse(where, f"a state name must have 1 to {NAME_CHARACTERS} characters")
        if name in self.names:
            raise refuse(where, f"the state name {name!r} is used twice in this machine")
        self.names.add(name)
        if not isinstance(value, dict):
            raise refuse(where, "must be an object")
        if value.get("QueryLanguage", "JSONPath") != "JSONPath":
            raise UnsupportedFeature(f"{where}.QueryLanguage: {_JSONATA}")
        state_type = value.get("Type")
        parse = self.parsers.get(state_type) if isinstance(state_type, str) else None
        if parse is None:
            raise UnsupportedFeature(
                f"{where}.Type: unknown state type {state_type!r} (known: {', '.join(sorted(self.parsers))})"
            )
        return parse(name, value, where)

    def _pass(self, name: str, value: Any, where: str) -> State:
        fields = open_state(value, where, ("Parameters", "Result", "ResultPath"))
        return PassState(
            **common(name, fields),
            parameters=fields.template("Parameters"),
            has_result="Result" in fields,
            result=fields.value.get("Result"),
            result_path=fields.path("ResultPath", reference=True),
        )

    def _succeed(self, name: str, value: Any, where: str) -> State:
        fields = Fields(value, where, ("Type", "QueryLanguage", "InputPath", "OutputPath"), UNSUPPORTED)
        return SucceedState(name, "Succeed", fields.path("InputPath"), fields.path("OutputPath"))

    def _fail(self, name: str, value: Any, where: str) -> State:
        names = ("Type", "QueryLanguage", "Error", "Cause", "ErrorPath", "CausePath")
        fields = Fields(value, where, names, UNSUPPORTED)
        fields.only_one("Error", "ErrorPath")
        fields.only_one("Cause", "CausePath")
        return FailState(name, "Fail", error=_fail_text(fields, "Error"), cause=_fail_text(fields, "Cause"))

    def _choice(self, name: str, value: Any, where: str) -> State:
        names = ("Type", "QueryLanguage", "Choices", "Default", "InputPath", "OutputPath")
        fields = Fields(value, where, names, UNSUPPORTED)
        rules = fields.array("Choices")
        if not rules:
            raise refuse(fields.at("Choices"), "must be a non-empty array of choice rules")
        parsed = []
        for index, rule in enumerate(rules):
            at = f"{fields.at('Choices')}[{index}]"
            test = parse_rule(rule, at, refuse, top=True)
            parsed.append((test, Fields(rule, at, rule).text("Next")))
        default = fields.text("Default") if "Default" in fields else None
        paths = fields.path("InputPath"), fields.path("OutputPath")
        return ChoiceState(name, "Choice", *paths, rules=tuple(parsed), default=default)

    def _wait(self, name: str, value: Any, where: str) -> State:
        times = ("Seconds", "SecondsPath", "Timestamp", "TimestampPath")
        fields = open_state(value, where, times)
        fields.only_one(*times, needed=True)
        timestamp = None
        if "Timestamp" in fields:
            timestamp = parse_timestamp(fields.text("Timestamp"))
            if timestamp is None:
                raise refuse(fields.at("Timestamp"), f"{fields.value['Timestamp']!r} is not an RFC 3339 timestamp")
        return WaitState(
            **common(name, fields),
            seconds=fields.seconds("Seconds", least=0),
            seconds_path=fields.optional_path("SecondsPath"),
            timestamp=timestamp,
            timestamp_path=fields.optional_path("TimestampPath"),
        )


def _fail_text(fields: Fields, field: str) -> Template | None:
    path = f"{field}Path"
    if path in fields:
        return parse_expression(fields.text(path), path, fields.at(path), refuse)
    if field not in fields:
        return None
    text = fields.value[field]
    if not isinstance(text, str):
        raise refuse(fields.at(field), f"must be a string, not {text!r}")
    return lambda scope: text


def _targets(state: State) -> Iterable[tuple[str, str]]:
    if state.next is not None:
        yield "Next", state.next
    if isinstance(state, ChoiceState):
        for index, (_, target) in enumerate(state.rules):
            yield f"Choices[{index}].Next", target
        if state.default is not None:
            yield "Default", state.default
    for index, catcher in enumerate(getattr(state, "catchers", ())):
        yield f"Catch[{index}].Next", catcher.next
