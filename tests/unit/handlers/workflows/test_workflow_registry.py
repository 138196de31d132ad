"""``@workflow`` classes: found, built, routed by machine and state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers.core.errors import RegistryError, ValidationError
from handlers.workflows.states import CustomStates
from handlers.workflows.workflow import WorkflowEvent, build_workflows, workflow_classes
from tests.support.clock import ManualClock
from tests.support.written_modules import WriteModule, written_modules

HEADER = "from handlers.workflows.workflow import workflow\n"
GOOD = "@workflow('{0}')\nclass {1}:\n    def first(self, event): return event.input\n    def _help(self): ...\n"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WriteModule]:
    with written_modules(tmp_path, monkeypatch, HEADER) as write:
        yield write


def payload(machine: str = "cqrs-dev-one", state: str = "first", **given: Any) -> dict[str, Any]:
    context = {
        "Execution": {"Id": "arn:e", "Name": "e", "StartTime": "s", "Input": {}},
        "State": {"EnteredTime": "2026-01-01T00:00:00.000Z", "Name": state, "RetryCount": 0},
        "StateMachine": {"Id": "arn:m", "Name": machine},
    }
    return {"source": "step-function", "context": context, "input": {"n": 1}, **given}


def states(module: WriteModule) -> CustomStates:
    classes = workflow_classes([module("wf_ok", GOOD.format("one", "One"))])
    return CustomStates(build_workflows(classes, {}), ManualClock())


def test_a_state_reaches_its_method(module: WriteModule) -> None:
    assert states(module)("one", WorkflowEvent.parse(payload())) == [[{"n": 1}]]


def test_wf_02_an_unknown_state_is_named_with_the_known_ones(module: WriteModule) -> None:
    for state in ("second", "_help", "__init__"):
        with pytest.raises(ValidationError, match=rf"State.Name: '{state}' .*expected one of first of workflow 'one'"):
            states(module)("one", WorkflowEvent.parse(payload(state=state)))


def test_wf_02_an_unknown_workflow_is_named(module: WriteModule) -> None:
    with pytest.raises(ValidationError, match=r"StateMachine.Name: 'm' is not allowed; expected one of one"):
        states(module)("other", WorkflowEvent.parse(payload("m")))


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (None, "source: None"),
        ({"source": "aws.s3"}, "source: 'aws.s3'"),
        ({"source": "step-function"}, "context.Execution.Name"),
        ({**payload(), "context": {**payload()["context"], "StateMachine": {}}}, "context.StateMachine.Name"),
        ({key: value for key, value in payload().items() if key != "input"}, "input"),
    ],
)
def test_bad_payloads_are_named(event: Any, field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        WorkflowEvent.parse(event)


@pytest.mark.parametrize("result", [{1, 2}, "x" * 262_144, float("inf")])
def test_results_that_an_execution_cannot_carry_are_refused(result: Any, module: WriteModule) -> None:
    class Handler:
        def first(self, event: WorkflowEvent) -> Any:
            return result

    with pytest.raises(ValidationError, match="output: "):
        CustomStates({"one": Handler()}, ManualClock())("one", WorkflowEvent.parse(payload()))


def test_a_name_used_twice_is_refused(module: WriteModule) -> None:
    names = [module("wf_a", GOOD.format("one", "A")), module("wf_b", GOOD.format("one", "B"))]
    with pytest.raises(RegistryError, match=r"wf_b.B: workflow 'one' is already used by wf_a.A"):
        workflow_classes(names)


@pytest.mark.parametrize("name", ["", "a b", "1st", "x" * 41, "a#b"])
def test_a_name_not_allowed_by_aws_is_refused(name: str, module: WriteModule) -> None:
    with pytest.raises(RegistryError, match=r"wf_name.A: workflow name .* is not allowed"):
        workflow_classes([module("wf_name", GOOD.format(name, "A"))])


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_the_types_of_step_functions_are_taken(kind: str, module: WriteModule) -> None:
    name = module("wf_kind", f"@workflow('one', type='{kind}')\nclass A:\n    def first(self, event): ...\n")
    assert workflow_classes([name])["one"].kind == kind


def test_a_type_that_is_none_is_refused(module: WriteModule) -> None:
    name = module("wf_type", "@workflow('one', type='FAST')\nclass A:\n    def first(self, event): ...\n")
    with pytest.raises(RegistryError, match=r"workflow type 'FAST' is not allowed; expected STANDARD or EXPRESS"):
        workflow_classes([name])


def test_unknown_collaborators_are_refused(module: WriteModule) -> None:
    text = "@workflow('one')\nclass A:\n    def __init__(self, mailer): ...\n    def first(self, event): ...\n"
    with pytest.raises(RegistryError, match=r"unknown parameter 'mailer'; available: clock, store"):
        build_workflows(workflow_classes([module("wf_needs", text)]), {"store": 1, "clock": 2})
