"""OPS-04, WF-04, WF-05: the approval sample in virtual time, on in-memory ports, with a crash at every call."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from handlers.core.context import InvokeContext
from handlers.core.errors import NotFound, TokenExpired, TokenInvalid, TokenUnknown, ValidationError
from handlers.core.log import LOGGER_NAME, JsonFormatter
from handlers.state_machines import checks
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS
from handlers.workflows.approvals import AlreadyDecided, Approvals
from handlers.workflows.keys import approval_partition, approval_sk
from local.functions.model import FunctionError, InvokeResult
from local.scheduler import Scheduler
from local.states import errors
from local.states.manager import ExecutionManager
from local.states.running.executions import Execution
from local.testing import WorkflowResult, WorkflowTest
from tests.modules.approval import Approval

BOSS = InvokeContext("boss", "t1")
GIVEN = {"tenantCode": "t1", "requestId": "r1", "subject": "A new chair", "requestedBy": "u1"}
DAY = 86_400.0
KEY = approval_partition("t1"), approval_sk("approval", "r1")


class Crash(BaseException):
    """The process of an operator dies."""


class Interpreter:
    """``CustomWorkflows`` on the interpreter of a test."""

    def __init__(self) -> None:
        self.manager: ExecutionManager | None = None

    def start(self, name: str, given: Any, id_: str) -> str:
        raise NotImplementedError

    def resume(self, token: str, output: Any) -> None:
        self._send("send_task_success", token, checks.text_of("output", output))

    def fail(self, token: str, error: str, cause: str = "") -> None:
        self._send("send_task_failure", token, error, cause)

    def heartbeat(self, token: str) -> None:
        self._send("send_task_heartbeat", token)

    def _send(self, method: str, *given: str) -> None:
        told = {
            errors.TaskTimedOut: TokenExpired,
            errors.TaskDoesNotExist: TokenUnknown,
            errors.InvalidToken: TokenInvalid,
        }
        try:
            getattr(self.manager, method)(*given)
        except tuple(told) as error:
            raise told[type(error)]("gone") from None


class Crashing:
    """Passes calls on and dies round the one with a number: before it, or after it."""

    def __init__(self, inner: Any, counter: list[int], at: int, after: bool) -> None:
        self._inner, self._counter, self._at, self._after = inner, counter, at, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        def call(*args: Any, **given: Any) -> Any:
            self._counter[0] += 1
            dies = self._counter[0] == self._at
            if dies and not self._after:
                raise Crash
            result = method(*args, **given)
            if dies:
                raise Crash
            return result

        return call


class ApprovalWorld:
    """The workflow, and people who answer it."""

    def __init__(self) -> None:
        self.scheduler = Scheduler.virtual(0)
        self.store = MemoryTableStore()
        self.workflows = Interpreter()
        self.approvals = Approvals(self.store, self.scheduler, self.workflows)
        clock: Any = self.scheduler
        self.test = WorkflowTest(Approval(self.store, clock, self.workflows), scheduler=self.scheduler)
        self.workflows.manager = self.test.manager
        self.answers: list[Any] = []

    def after(self, seconds: float, act: Any) -> None:
        def run() -> None:
            try:
                self.answers.append(act())
            except Exception as error:  # noqa: BLE001 - boundary: what people are told
                self.answers.append(error)

        self.scheduler.call_later(seconds, run)

    def run(self, **given: Any) -> WorkflowResult:
        return self.test.run({**GIVEN, **given})

    def running(self) -> Execution:
        (found,) = self.test.manager.list_executions(self.test._machine)
        return found

    @property
    def row(self) -> dict[str, Any]:
        row = self.store.get(TASKS, approval_partition("t1"), approval_sk("approval", "r1"))
        assert row is not None
        return row

    def approve(self) -> Any:
        return self.approvals.approve("approval", "r1", BOSS)

    def reject(self) -> Any:
        return self.approvals.reject("approval", "r1", BOSS, "too dear")


@pytest.fixture
def world() -> ApprovalWorld:
    return ApprovalWorld()


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonFormatter().format(record))

    handler, logger = Lines(), logging.getLogger(LOGGER_NAME)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_ops_04_wf_04_approve(world: ApprovalWorld) -> None:
    world.after(60, world.approve)
    result = world.run()
    assert (result.status, result.output, result.seconds) == ("SUCCEEDED", {"decision": "APPROVED"}, 60.0)
    assert result.visited == ["ask", "settle", "settled", "approved"]
    assert (world.row["status"], world.row["decidedBy"]) == ("APPROVED", "boss")


def test_ops_04_wf_04_reject(world: ApprovalWorld) -> None:
    world.after(60, world.reject)
    result = world.run()
    assert (result.status, result.error) == ("FAILED", "Rejected")
    assert result.visited == ["ask", "settle", "settled", "rejected"]
    assert (world.row["status"], world.row["reason"]) == ("REJECTED", "too dear")


def test_ops_04_wf_04_twice_is_once(world: ApprovalWorld) -> None:
    world.after(60, world.approve)
    world.after(60, world.approve)
    world.after(70, world.approve)
    assert world.run().status == "SUCCEEDED"
    assert len({(one.status, one.decided_by) for one in world.answers}) == 1
    assert len(world.answers) == 3


@pytest.mark.parametrize(("first", "then"), [("approve", "reject"), ("reject", "approve")])
def test_ops_04_wf_04_another_answer_is_reported(world: ApprovalWorld, first: str, then: str) -> None:
    world.after(60, getattr(world, first))
    world.after(61, getattr(world, then))
    world.run()
    error = world.answers[1]
    assert isinstance(error, AlreadyDecided)
    assert "by boss" in str(error)


def test_ops_04_wf_04_expired(world: ApprovalWorld) -> None:
    world.after(DAY + 1, world.approve)
    result = world.run()
    assert (result.status, result.error, result.seconds) == ("FAILED", "Expired", DAY)
    assert result.visited == ["ask", "settle", "settled", "expired"]
    assert isinstance(world.answers[0], AlreadyDecided)
    assert "it is EXPIRED since" in str(world.answers[0])


def test_ops_04_unknown(world: ApprovalWorld) -> None:
    with pytest.raises(NotFound, match=r"APPROVAL#t1 approval#r1: there is no such approval"):
        world.approve()


def test_ops_04_nobody_is_not_who_decides(world: ApprovalWorld) -> None:
    with pytest.raises(ValidationError, match="userId: '' is not allowed; expected text of 1 to"):
        world.approvals.approve("approval", "r1", InvokeContext("", "t1"))


def test_ops_04_the_list_of_open_ones(world: ApprovalWorld) -> None:
    for number in range(3):
        world.after(1, lambda: [one.request_id for one in world.approvals.list_open("t1")])
        world.after(
            2 if number == 1 else 2 * DAY, lambda number=number: world.approvals.approve("approval", f"r{number}", BOSS)
        )
        world.run(requestId=f"r{number}")
    assert world.answers[0] == ["r0"]
    assert list(world.approvals.list_open("t1")) == []
    assert list(world.approvals.list_open("t2", workflow="approval")) == []


def test_ops_04_only_the_tenants_own(world: ApprovalWorld) -> None:
    world.after(60, lambda: world.approvals.approve("approval", "r1", InvokeContext("boss", "t2")))
    world.run()
    assert isinstance(world.answers[0], NotFound)
    assert world.row["status"] == "EXPIRED"


@pytest.mark.parametrize("answer", ["approve", "reject", "nothing"])
def test_wf_05_the_token_is_nowhere_after_the_answer(world: ApprovalWorld, answer: str, logged: list[str]) -> None:
    seen: list[Any] = []
    world.after(30, lambda: seen.extend(world.approvals.list_open("t1")))
    world.after(60, getattr(world, answer, lambda: None))
    result = world.run()
    (token,) = world.test.tokens
    assert len(seen) == 1
    told = [repr(seen), repr(world.answers), repr(result), json.dumps(world.row), *logged]
    assert [text for text in told if token in text] == []
    assert any('"state": "ask"' in line for line in logged)


def test_wf_05_the_row_holds_it_until_then(world: ApprovalWorld) -> None:
    world.after(30, lambda: world.row["taskToken"])
    world.after(60, world.approve)
    world.run()
    assert world.answers[0] == world.test.tokens[0]


@pytest.mark.parametrize("retries", [1, 3])
def test_a_repeated_state_has_a_token_of_its_own(world: ApprovalWorld, retries: int) -> None:
    world.test.fail("ask", "TransientError", times=retries)
    world.after(60, world.approve)
    assert world.run().status == "SUCCEEDED"


def test_a_late_try_does_not_replace_the_token(world: ApprovalWorld) -> None:
    shown = {"subject": "s", "requestedBy": "u"}
    world.approvals.ask(KEY, "second", 1, execution="e", **shown)
    world.approvals.ask(KEY, "first", 0, execution="e", **shown)
    assert world.row["taskToken"] == "second"
    with pytest.raises(ValidationError, match="one that no other execution asks under"):
        world.approvals.ask(KEY, "other", 0, execution="f", **shown)


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_wf_04_a_decision_before_the_states_retry_answers_it(world: ApprovalWorld, answer: str) -> None:
    """The function stored the token and died; people decide; the state comes again with another token."""
    name = checks.execution_name("test 1")
    world.approvals.ask(KEY, "AQC" + "A" * 64, 0, execution=name, subject="s", requestedBy="u")
    getattr(world, answer)()
    world.test.fail("ask", "TransientError")
    result = world.run()
    assert (result.status, result.seconds) == ("SUCCEEDED" if answer == "approve" else "FAILED", 2.0)
    assert "taskToken" not in world.row


@pytest.mark.parametrize("stored", [True, False])
def test_wf_05_g4_a_question_that_breaks_leaves_no_open_row(world: ApprovalWorld, stored: bool) -> None:
    """The function died four times, after it had stored its row or before: nobody may answer a dead workflow."""
    invoke = world.test.invoke

    def dies(function: str, payload: Any) -> InvokeResult:
        if payload["context"]["State"]["Name"] != "ask":
            return invoke(function, payload)
        if stored:
            invoke(function, payload)
        return InvokeResult(None, FunctionError("Runtime.ExitError", "exit status 137"), "r")

    world.test.manager._invoker.invoke = dies  # type: ignore[method-assign]
    world.after(60, world.approve)
    result = world.run()
    assert (result.status, result.error, result.cause) == ("FAILED", "Runtime.ExitError", "exit status 137")
    assert (world.row["status"], "taskToken" in world.row) == ("BROKEN", False)
    assert isinstance(world.answers[0], AlreadyDecided)
    assert list(world.approvals.list_open("t1")) == []
    late = {"subject": "s", "requestedBy": "u"}
    world.approvals.ask(KEY, "late", 3, execution=world.row["execution"], **late)
    assert (world.row["status"], "taskToken" in world.row) == ("BROKEN", False)


def test_wf_04_a_token_that_was_answered_without_a_decision_is_no_approval(world: ApprovalWorld) -> None:
    world.after(60, lambda: world.workflows.resume(world.test.tokens[0], {"decision": "APPROVED"}))
    result = world.run()
    assert (result.status, result.error, world.row["status"]) == ("FAILED", "NotDecided", "BROKEN")
    assert "taskToken" not in world.row


def test_wf_04_a_token_that_was_failed_without_a_name_ends_it(world: ApprovalWorld) -> None:
    """SendTaskFailure takes no error (API reference); the name is empty then."""
    world.after(60, lambda: world.test.manager.send_task_failure(world.test.tokens[0]))
    result = world.run()
    assert (result.status, result.error, result.seconds) == ("FAILED", "States.TaskFailed", 60.0)
    assert world.row["status"] == "BROKEN"


def test_wf_04_another_execution_with_the_same_request_id_leaves_the_first_one_s_row(world: ApprovalWorld) -> None:
    world.approvals.ask(KEY, "first", 0, execution="first", subject="s", requestedBy="u")
    result = world.run()
    assert (result.status, result.error) == ("FAILED", "ValidationError")
    assert "one that no other execution asks under" in (result.cause or "")
    assert (world.row["status"], world.row["taskToken"], world.row["execution"]) == ("OPEN", "first", "first")


def test_ops_04_an_answer_that_nothing_waits_for_says_so(world: ApprovalWorld) -> None:
    """The execution was aborted: no state of it runs any more."""
    world.after(60, lambda: world.test.manager.stop_execution(world.running().arn))
    world.after(120, world.approve)
    assert world.run().status == "ABORTED"
    assert (world.answers[1].status, world.answers[1].delivered) == ("APPROVED", False)
    assert "taskToken" not in world.row


def test_wf_05_an_open_row_does_not_outlive_the_longest_execution(world: ApprovalWorld) -> None:
    world.after(60, lambda: world.row["ttl"] - world.scheduler.now())
    world.run()
    assert 365 * DAY < world.answers[0] < 367 * DAY


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize("again", [True, False])
def test_wf_04_ops_04_a_crash_at_every_call_of_an_answer(at: int, after: bool, again: bool) -> None:
    """The operator's process dies; called again or not, what the row says is what the workflow did."""
    world, counter = ApprovalWorld(), [0]
    approvals = Approvals(
        Crashing(world.store, counter, at, after), world.scheduler, Crashing(world.workflows, counter, at, after)
    )

    def dies() -> None:
        with pytest.raises(Crash):
            approvals.approve("approval", "r1", BOSS)

    world.after(60, dies)
    if again:
        world.after(120, world.approve)
    result = world.run()
    assert counter[0] == at
    assert world.answers[0] is None
    decided = world.row["status"]
    assert decided == ("EXPIRED" if at == 1 and not after and not again else "APPROVED")
    assert result.status == ("SUCCEEDED" if decided == "APPROVED" else "FAILED")
    assert again is False or result.seconds <= 120
    assert "taskToken" not in world.row


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        ({"subject": ""}, "subject: ''"),
        ({"requestedBy": None}, "requestedBy: None"),
        ({"requestId": "a#b"}, "requestId: 'a#b'"),
        ({"tenantCode": None}, "tenantCode: None"),
    ],
)
def test_bad_input_ends_it_at_once(world: ApprovalWorld, given: dict[str, Any], cause: str) -> None:
    result = world.run(**given)
    assert (result.error, result.seconds) == ("ValidationError", 0.0)
    assert cause in (result.cause or "")


@pytest.mark.parametrize("reason", ["", "x" * 1_001, None])
def test_a_rejection_needs_a_reason(world: ApprovalWorld, reason: Any) -> None:
    with pytest.raises(ValidationError, match="reason: "):
        world.approvals.reject("approval", "r1", BOSS, reason)
