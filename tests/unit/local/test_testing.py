"""The test kit: on a workflow that waits for a token, on the sample with three steps, and who answers too late."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from contract.outputs import CUSTOM_STATE_MACHINE_ARNS
from handlers.core.context import InvokeContext
from handlers.core.errors import RegistryError, TransientError
from handlers.state_machines.checks import MAX_RESULT_BYTES
from handlers.state_machines.memory import MemoryCustomWorkflows
from handlers.store.memory import MemoryTableStore
from handlers.workflows.approvals import AlreadyDecided, Approvals
from handlers.workflows.keys import approval_partition, approval_sk
from handlers.workflows.workflow import WorkflowEvent, workflow
from infra.definitions.checks import DefinitionError
from local.runtime import PROJECT_DIR
from local.testing.people import People
from local.testing.workflows import WorkflowTest, _beside
from tests.modules.three_steps import ThreeSteps
from tests.support.clock import ManualClock

LAMBDA = "arn:aws:states:::lambda:invoke"


@workflow("asks")
class Asks:
    """Asks somebody; the answer is the result."""

    def __init__(self) -> None:
        self.tokens: list[str | None] = []

    def ask(self, event: WorkflowEvent) -> None:
        self.tokens.append(event.task_token)

    def late(self, event: WorkflowEvent) -> dict[str, Any]:
        return {"late": event.input["error"]["Error"]}


def definition(**ask: Any) -> dict[str, Any]:
    catch = [{"ErrorEquals": ["States.Timeout", "States.HeartbeatTimeout"], "ResultPath": "$.error", "Next": "late"}]
    waits = {"Type": "Task", "Resource": f"{LAMBDA}.waitForTaskToken", "TimeoutSeconds": 3_600, "Catch": catch}
    late = {"Comment": "c", "Type": "Task", "Resource": LAMBDA, "TimeoutSeconds": 60, "End": True}
    states = {"ask": {"Comment": "c", **waits, "End": True, **ask}, "late": late}
    return {"StartAt": "ask", "TimeoutSeconds": 7_200, "States": states}


def asks(**ask: Any) -> WorkflowTest:
    return WorkflowTest(Asks(), definition=definition(**ask))


def test_wf_01_three_steps() -> None:
    result = WorkflowTest(ThreeSteps()).run({"numbers": [1, 2, 3]})
    assert (result.status, result.output) == ("SUCCEEDED", {"count": 3, "sum": 6, "mean": 2.0})
    assert result.visited == ["initialize", "process", "finalize"]


@pytest.mark.parametrize(
    ("numbers", "cause"), [([], "numbers: []"), ("x", "numbers: 'x'"), ([1, "2"], "numbers[1]: '2'"), ([True], "True")]
)
def test_three_steps_refuses_what_is_no_list_of_numbers(numbers: Any, cause: str) -> None:
    result = WorkflowTest(ThreeSteps()).run({"numbers": numbers})
    assert (result.status, result.error, result.output) == ("FAILED", "ValidationError", None)
    assert cause in (result.cause or "")


def test_the_largest_result() -> None:
    """At the limit it passes, and what is too large for a state is refused by name and not by Step Functions."""

    @workflow("three_steps")
    class Large:
        extra = 0

        def initialize(self, event: WorkflowEvent) -> str:
            return "x" * (MAX_RESULT_BYTES - 2 + self.extra)

        def process(self, event: WorkflowEvent) -> None:
            pass

        def finalize(self, event: WorkflowEvent) -> None:
            pass

    large, three_steps = Large(), _beside(ThreeSteps, "three_steps")
    assert WorkflowTest(large, definition=three_steps).run({}).status == "SUCCEEDED"
    large.extra = 1
    result = WorkflowTest(large, definition=three_steps).run({})
    assert (result.status, result.error) == ("FAILED", "ValidationError")
    assert f"at most {MAX_RESULT_BYTES} bytes" in (result.cause or "")


def test_a_mistyped_state_is_named() -> None:
    """Else the injected error, or the answer, would never come, and the test would show nothing."""
    test = asks()
    calls: tuple[Callable[[], None], ...] = (
        lambda: test.fail("aks", "Lambda.Unknown"),
        lambda: test.answer("aks", 1),
        lambda: test.reject("aks", "No"),
        lambda: test.beat("aks", every=1, times=1),
    )
    for call in calls:
        with pytest.raises(ValueError, match="asks: no Lambda state 'aks'; there are ask, late"):
            call()
    with pytest.raises(ValueError, match="asks: state 'late' waits for no token"):
        test.answer("late", 1)


def test_a_missing_definition_is_one_line() -> None:
    @workflow("three_stops")
    class Mistyped:
        def initialize(self, event: WorkflowEvent) -> None:
            pass

    with pytest.raises(DefinitionError, match=r"three_stops: the definition .*/three_stops\.asl\.json is missing"):
        WorkflowTest(Mistyped())


def test_injected_errors_are_retried_as_on_aws() -> None:
    test = WorkflowTest(ThreeSteps())
    test.fail("process", "TransientError", times=3)
    result = test.run({"numbers": [1]})
    assert (result.status, result.calls.count("process"), result.seconds) == ("SUCCEEDED", 4, 14.0)
    test.fail("process", "TransientError", "still", times=4)
    result = test.run({"numbers": [1]})
    assert (result.status, result.error) == ("FAILED", "TransientError")


def test_an_error_of_the_method_ends_the_execution() -> None:
    @workflow("three_steps")
    class Broken:
        def initialize(self, event: WorkflowEvent) -> None:
            raise LookupError("no such thing")

        def process(self, event: WorkflowEvent) -> None: ...

        def finalize(self, event: WorkflowEvent) -> None: ...

    definition = json.loads((PROJECT_DIR / "tests/modules/three_steps.asl.json").read_text())
    result = WorkflowTest(Broken(), definition=definition).run({})
    assert (result.error, result.visited) == ("LookupError", ["initialize"])


def test_an_answer_is_the_result() -> None:
    test = asks()
    test.answer("ask", {"yes": True}, after=600)
    result = test.run({})
    assert (result.status, result.output, result.seconds) == ("SUCCEEDED", {"yes": True}, 600.0)
    assert len(test.tokens) == 1


def test_a_rejection_is_an_error_of_the_state() -> None:
    test = asks()
    test.reject("ask", "Rejected", "too dear")
    result = test.run({})
    assert (result.status, result.error, result.cause) == ("FAILED", "Rejected", "too dear")


def test_no_answer_is_a_timeout() -> None:
    result = asks().run({})
    assert (result.visited, result.output, result.seconds) == (["ask", "late"], {"late": "States.Timeout"}, 3_600.0)


def test_a_late_answer_changes_nothing() -> None:
    test = asks()
    test.answer("ask", {"yes": True}, after=4_000)
    assert test.run({}).output == {"late": "States.Timeout"}


def test_wf_06_heartbeats_that_are_kept() -> None:
    test = asks(HeartbeatSeconds=60)
    test.beat("ask", every=50, times=10)
    test.answer("ask", "done", after=520)
    result = test.run({})
    assert (result.output, result.seconds) == ("done", 520.0)


def test_wf_06_a_heartbeat_that_is_missed() -> None:
    test = asks(HeartbeatSeconds=60)
    test.beat("ask", every=50, times=3)
    test.answer("ask", "done", after=520)
    result = test.run({})
    assert (result.output, result.seconds) == ({"late": "States.HeartbeatTimeout"}, 210.0)


def test_what_a_deployment_refuses_is_refused() -> None:
    endless = definition()
    del endless["States"]["ask"]["TimeoutSeconds"]
    with pytest.raises(DefinitionError, match="asks: ask: a Task needs TimeoutSeconds"):
        WorkflowTest(Asks(), definition=endless)
    with pytest.raises(DefinitionError, match="asks: ask: TimeoutSeconds null is not allowed; expected a whole number"):
        asks(TimeoutSeconds=None)

    class Plain:
        """Not marked."""

    with pytest.raises(RegistryError, match="Plain: not marked with @workflow"):
        WorkflowTest(Plain())


def test_errors_of_a_method_keep_their_names() -> None:
    class Own(TransientError):
        """Not in the Retry: names are compared, not classes."""

    @workflow("asks")
    class Raises(Asks):
        def ask(self, event: WorkflowEvent) -> None:
            raise Own("x")

        def late(self, event: WorkflowEvent) -> dict[str, Any]:
            raise AssertionError("the error was caught")

    assert WorkflowTest(Raises(), definition=definition()).run({}).error == "Own"


def test_who_answers_too_late_in_a_test_is_told_why() -> None:
    store, clock = MemoryTableStore(), ManualClock()
    asked = (approval_partition("t1"), approval_sk("holiday", "r1"))
    Approvals(store, clock, MemoryCustomWorkflows({})).settle(asked, execution="e1", expired=True)
    people = People(store, clock, {CUSTOM_STATE_MACHINE_ARNS: {}}, "us-east-1")
    with pytest.raises(AlreadyDecided) as refused:
        people.approve("holiday", "r1", InvokeContext("you", "t1"))
    assert "run_for(60)" in refused.value.__notes__[0]
