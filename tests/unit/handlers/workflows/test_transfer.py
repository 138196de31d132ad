"""SAGA-01 and SAGA-03 for the transfer: both sides, once, whatever fails at whichever call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handlers.commands.keys import EntityKey
from handlers.commands.model import CommandInput
from handlers.core.context import InvokeContext
from handlers.core.errors import TransientThrottle
from handlers.store.port import COMMANDS
from handlers.workflows.workflow import WorkflowEvent
from local.functions.model import EXITED, FunctionError, InvokeResult
from local.testing import WorkflowResult
from tests.support.parts import IN_PARTS, part_of
from tests.support.transfer_world import GIVEN, MOVED, Bank, Died, refuse


def test_saga_01_both_sides_are_applied() -> None:
    bank = Bank()
    result = bank.run()
    assert (result.status, result.visited) == ("SUCCEEDED", ["debit", "credit", "done"])
    bank.check(result)
    assert (bank.saga()["status"], bank.saga()["steps"]) == ("DONE", ["debit", "credit"])
    assert (bank.marks("a"), bank.marks("b")) == (["-", "DEBITED"], ["-", "CREDITED"])


def test_saga_01_again_changes_nothing() -> None:
    bank = Bank()
    bank.run()
    result = bank.run()  # another execution of the same request
    bank.check(result)
    assert result.status == "SUCCEEDED"
    assert bank.marks("a") == ["-", "DEBITED"]


@pytest.mark.parametrize("given", [{"amount": 31}, {"to": "nobody"}])
def test_saga_03_a_request_id_used_with_other_content_changes_nothing(given: dict[str, Any]) -> None:
    bank = Bank()
    bank.run()
    result = bank.run(**given)
    assert (result.status, result.error) == ("FAILED", "RequestConflict")
    assert bank.balances == MOVED


def calls_of(bank: Bank, **given: Any) -> int:
    bank.run(**given)
    return bank.store.calls


HAPPY = calls_of(Bank())
UNDOING = calls_of(Bank(), to="nobody")
PIPELINE = calls_of(Bank(target=refuse("b", when="CREDITED")))
CASES: dict[str, tuple[Callable[[], Bank], dict[str, Any], int]] = {
    "works": (Bank, {}, HAPPY),
    "undone": (Bank, {"to": "nobody"}, UNDOING),
    "failed command": (lambda: Bank(target=refuse("b", when="CREDITED")), {}, PIPELINE),
}


def with_fault(case: str, at: int, kind: str) -> tuple[Bank, WorkflowResult]:
    make, given, _ = CASES[case]
    bank = make()
    invoke, zombie = bank._invoke, []

    def act(after: bool) -> None:
        if kind == "throttled" and not after:
            raise TransientThrottle("slow down")
        if kind == ("dies after" if after else "dies before"):
            raise Died

    def invoker(function: str, payload: Any) -> InvokeResult:
        """A function that dies is an error of the platform; the machine calls again."""
        before = bank.store.calls
        try:
            result = invoke(function, payload)
        except Died:
            return InvokeResult(None, FunctionError(EXITED, "exit status 137"), "r")
        if kind == "twice" and before < at <= bank.store.calls:
            zombie.append(payload)
            return invoke(function, payload)
        return result

    bank.test.manager._invoker.invoke = invoker  # type: ignore[method-assign]
    bank.store.at, bank.store.act = at, act
    result = bank.run(**given)
    bank.store.at = None
    return bank, result


@IN_PARTS
@pytest.mark.parametrize("kind", ["dies before", "dies after", "throttled", "twice"])
@pytest.mark.parametrize("case", list(CASES))
def test_saga_03_a_fault_at_every_call(case: str, kind: str, part: int) -> None:
    assert CASES[case][2] > 20
    for at in part_of(range(1, CASES[case][2] + 1), part):
        bank, result = with_fault(case, at, kind)
        try:
            assert result.status == ("SUCCEEDED" if case == "works" else "FAILED")
            bank.check(result)
            assert bank.marks("a").count("DEBITED") == 1
            assert bank.marks("a").count("UNDONE") == (0 if case == "works" else 1)
        except AssertionError as error:
            raise AssertionError(f"{case}, {kind} at call {at} of {CASES[case][2]}: {error}") from error


@pytest.mark.parametrize("step", ["debit", "credit"])
def test_saga_03_a_late_call_of_an_undone_step_changes_nothing(step: str) -> None:
    bank = Bank()
    payloads: list[Any] = []
    invoke = bank._invoke

    def keep(function: str, payload: Any) -> InvokeResult:
        payloads.append(payload)
        return invoke(function, payload)

    bank.test.manager._invoker.invoke = keep  # type: ignore[method-assign]
    bank.test.fail(step, "Lambda.Unknown", times=4)
    result = bank.run()
    bank.check(result)
    assert result.error == "Lambda.Unknown"
    late = next(one for one in payloads if one["context"]["State"]["Name"] == step)
    error = invoke("f", late).error
    assert error is not None
    assert error.error_type == "SagaIsUndone"
    bank.check(result)


def test_saga_03_a_step_that_had_begun_before_its_undo_publishes_nothing() -> None:
    """It passed the saga's row, then the whole undo ran, then it publishes: its request id was withdrawn."""
    bank = Bank()
    transfer = bank.test._states._states["transfer"]
    original = bank.world.publisher.repository.latest
    ran: list[WorkflowResult] = []
    waits = True

    def undo_in_between(key: EntityKey) -> Any:
        nonlocal waits
        if waits and key.code == "a":
            waits = False
            bank.test.fail("debit", "Lambda.Unknown", times=4)
            ran.append(bank.run())
        return original(key)

    bank.world.publisher.repository.latest = undo_in_between  # type: ignore[method-assign]
    event = WorkflowEvent(
        "step-function",
        {"Execution": {"Name": "e", "Input": GIVEN}, "State": {"Name": "debit"}, "StateMachine": {"Name": "m"}},
        GIVEN,
    )
    with pytest.raises(Exception, match="was withdrawn"):
        transfer["debit"](event)
    bank.check(ran[0])


def test_others_may_work_on_the_accounts_meanwhile() -> None:
    """Accepted and not applied yet: the step waits for it by the machine's Retry."""
    bank = Bank()
    run = bank.world.publish(CommandInput("ACCOUNT", "a", "a", {"balance": 90}, -1))
    invoke = bank._invoke

    def applied_meanwhile(function: str, payload: Any) -> InvokeResult:
        if payload["context"]["State"]["RetryCount"] == 1:
            bank.world.apply(run)
        return invoke(function, payload)

    bank.test.manager._invoker.invoke = applied_meanwhile  # type: ignore[method-assign]
    assert bank.run().status == "SUCCEEDED"
    assert bank.balances == {"a": 60, "b": 35}


def test_the_commands_have_the_user_who_asked() -> None:
    bank = Bank()
    bank.run()
    row = bank.world.row(2, bank.key("a"))
    assert (row["updatedBy"], row["requestId"], row["source"]) == ("u1", "r1.debit", "api")
    assert bank.store.get(COMMANDS, "TENANT#t1", "REQ#r1.debit") is not None
    assert InvokeContext("u1", "t1").request_id is None
