"""TestState: its parameters and its response.

Source: Step Functions API reference, "TestState". Here, work states need a ``mock``, since a single state has no role.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.definitions import json_files
from local.scheduler import Scheduler
from local.states.definition.model import Definition, State, WorkState
from local.states.definition.parser import parse_definition
from local.states.errors import ApiError, InvalidDefinition
from local.states.limits import dumps
from local.states.maps.map_runs import MapRuns
from local.states.running.single_state import (
    CAUGHT_ERROR,
    RETRIABLE,
    SUCCEEDED,
    Mocked,
    Tested,
    states_of,
    visit_state,
)
from local.states.starts import parse_input

UNNAMED = "TestState"


class ValidationException(ApiError):
    """A parameter is missing or invalid."""

    code = "ValidationException"


def tested_state(params: Mapping[str, Any], scheduler: Scheduler, map_runs: MapRuns) -> dict[str, Any]:
    """Answer a TestState call.

    Raises:
        ApiError: the definition, the input or another parameter is not valid.
    """
    definition, state = _state(params["definition"], params.get("stateName"))
    configuration = params.get("stateConfiguration", {})
    unknown = sorted(set(configuration) - {"retrierRetryCount"})
    if unknown:
        raise ValidationException(f"stateConfiguration: {', '.join(unknown)} is not supported by the local runtime")
    tested = visit_state(
        definition,
        state,
        parse_input(params.get("input", "{}")),
        scheduler=scheduler,
        map_runs=map_runs,
        mocked=_mocked(params.get("mock"), state),
        context=_json(params.get("context", "{}"), "context"),
        retries=configuration.get("retrierRetryCount", 0),
    )
    return _answer(tested, params.get("inspectionLevel", "INFO"))


def _state(text: str, name: str | None) -> tuple[Definition, State]:
    """The machine and the tested state. A single state is put into a machine whose other states just succeed."""
    given = _json(text, "definition")
    if "States" not in given:
        name = name or UNNAMED
        others = {target: {"Type": "Succeed"} for target in _targets(given)}
        text = json.dumps({"StartAt": name, "States": {**others, name: given}})
    elif name is None:
        raise ValidationException("stateName: is required where the definition is a whole state machine")
    definition = parse_definition(text)
    for state in states_of(definition.branch):
        if state.name == name:
            return definition, state
    raise InvalidDefinition(f"stateName: there is no state {name!r}")


def _targets(state: Mapping[str, Any]) -> Iterator[str]:
    """The next states of a state, without those of its inner states."""
    for entry in (state, *state.get("Catch", ()), *state.get("Choices", ())):
        for field in ("Next", "Default"):
            if field in entry:
                yield entry[field]


def _mocked(mock: Mapping[str, Any] | None, state: State) -> Mocked | None:
    if not isinstance(state, WorkState):
        if mock is not None:
            raise ValidationException(f"mock: a {state.type} state does no work whose result could be mocked")
        return None
    if mock is None:
        raise ValidationException(f"mock: is required for a {state.type} state by the local runtime")
    if "errorOutput" in mock:
        error = mock["errorOutput"]
        return Mocked(error=error.get("error", ""), cause=error.get("cause", ""))
    return Mocked(_json(mock.get("result", "null"), "mock.result"))


def _json(text: str, field: str) -> Any:
    try:
        return json_files.parse(text)
    except ValueError as error:
        raise ValidationException(f"{field}: is not JSON: {error}") from error


def _answer(tested: Tested, level: str) -> dict[str, Any]:
    answer: dict[str, Any] = {"status": tested.status}
    if tested.status in (SUCCEEDED, CAUGHT_ERROR):
        answer["output"] = dumps(tested.output)
        if tested.next is not None:
            answer["nextState"] = tested.next
    if tested.error is not None:
        answer["error"] = tested.error
        answer["cause"] = tested.cause
    if level != "INFO":
        inspected: dict[str, Any] = {}
        if tested.parameters is not None:
            field = "afterItemSelector" if isinstance(tested.parameters, list) else "afterParameters"
            inspected[field] = dumps(tested.parameters)
        if tested.status == RETRIABLE and tested.delay is not None:
            inspected["errorDetails"] = {"retryBackoffIntervalSeconds": int(tested.delay)}
        answer["inspectionData"] = inspected
    return answer
