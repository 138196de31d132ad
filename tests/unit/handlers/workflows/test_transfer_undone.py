"""SAGA-02 for the transfer: what is undone, by whom, and what need not be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from handlers.commands import status
from handlers.commands.keys import VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.core.keys import MAX_REQUEST_ID_CHARS
from handlers.operations.skip import Skipper
from local.functions.model import EXITED, FunctionError, InvokeResult
from tests.support.pipelines import CONTEXT
from tests.support.transfer_world import MOVED, START, Bank, Died, redrive, refuse

#: The steps' own request ids are made of the transfer's; the last one to be published must fit too.
LONGEST = MAX_REQUEST_ID_CHARS - len(".undo-credit")


@pytest.mark.parametrize(
    ("given", "error", "cause"),
    [
        ({"amount": 101}, "InsufficientFunds", "TENANT#t1 ACCOUNT#a has 100, 101 are asked for"),
        ({"from": "nobody"}, "NotFound", "TENANT#t1 ACCOUNT#nobody: there is no such account"),
        ({"amount": 0}, "ValidationError", "amount: 0"),
        ({"amount": 1.5}, "ValidationError", "amount: 1.5"),
        ({"to": "a"}, "ValidationError", "to: 'a'"),
        ({"requestId": None}, "ValidationError", "requestId: None"),
        ({"tenantCode": "a#b"}, "ValidationError", "tenantCode: 'a#b'"),
    ],
)
def test_saga_02_the_first_step_fails(given: dict[str, Any], error: str, cause: str) -> None:
    bank = Bank()
    result = bank.run(**given)
    assert (result.status, result.error) == ("FAILED", error)
    assert cause in (result.cause or "")
    bank.check(result)


def test_saga_02_the_second_account_is_missing() -> None:
    bank = Bank()
    result = bank.run(to="nobody")
    assert (result.error, result.cause) == ("NotFound", "TENANT#t1 ACCOUNT#nobody: there is no such account")
    bank.check(result)
    assert result.visited == ["debit", "credit", "undo", "undone"]
    assert bank.marks("a") == ["-", "DEBITED", "UNDONE"]
    assert (bank.saga()["status"], bank.saga()["undoneCount"]) == ("UNDONE", 2)


def test_saga_02_the_second_account_is_closed() -> None:
    bank = Bank()
    bank.open("b", 5, closed=True)
    result = bank.run()
    assert (result.error, result.cause) == ("AccountClosed", "TENANT#t1 ACCOUNT#b is closed")
    bank.check(result)


@pytest.mark.parametrize(
    ("attributes", "error"),
    [
        ({}, "AccountBroken"),
        ({"balance": "5"}, "AccountBroken"),
        ({"balance": True}, "AccountBroken"),
        ({"balance": 5, "transfers": []}, "AccountBroken"),
    ],
)
@pytest.mark.parametrize("code", ["a", "b"])
def test_saga_02_an_account_that_is_none_of_ours_does_not_hold_back_the_undo(
    attributes: dict[str, Any], error: str, code: str
) -> None:
    bank = Bank()
    bank.world.sync.publish_sync(CommandInput("ACCOUNT", code, code, attributes, -1), CONTEXT)
    other = "b" if code == "a" else "a"
    result = bank.run()
    assert (result.status, result.error, result.visited[-1]) == ("FAILED", error, "undone")
    assert (bank.balances_of(other), bank.open_commands()) == (START[other], [])
    assert bank.data(code)["attributes"] == attributes
    assert result.seconds < 60


def test_saga_02_the_second_account_was_deleted() -> None:
    bank = Bank()
    bank.world.sync.publish_sync(CommandInput("ACCOUNT", "b", "b", {"balance": 5}, -1, is_deleted=True), CONTEXT)
    result = bank.run()
    assert (result.error, result.cause) == ("NotFound", "TENANT#t1 ACCOUNT#b: there is no such account")
    bank.check(result)
    assert (bank.marks("b"), result.seconds < 60) == (["-", "-"], True)


def test_saga_02_the_first_account_is_deleted_meanwhile() -> None:
    """It gets back what it had, and stays deleted."""
    bank = Bank()
    invoke = bank._invoke

    def deleted_meanwhile(function: str, payload: Any) -> InvokeResult:
        if payload["context"]["State"]["Name"] == "credit":
            latest = bank.data("a")
            given = CommandInput("ACCOUNT", "a", "a", latest["attributes"], latest["version"], is_deleted=True)
            bank.world.sync.publish_sync(given, CONTEXT)
        return invoke(function, payload)

    bank.test.manager._invoker.invoke = deleted_meanwhile  # type: ignore[method-assign]
    result = bank.run(to="nobody")
    assert result.error == "NotFound"
    bank.check(result)
    assert (bank.data("a")["isDeleted"], bank.marks("a")[-1]) == (True, "UNDONE")


@pytest.mark.parametrize("to", ["b", "nobody"])
def test_saga_02_the_longest_request_id(to: str) -> None:
    """What the undo will need is checked before anything happens."""
    bank = Bank()
    result = bank.run(requestId="r" * (LONGEST + 1), to=to)
    assert (result.error, bank.balances) == ("ValidationError", START)
    assert "at most 188 characters" in (result.cause or "")
    result = bank.run(requestId="r" * LONGEST, to=to)
    assert result.visited[-1] == ("done" if to == "b" else "undone")
    bank.check(result)


@pytest.mark.parametrize(("step", "code"), [("debit", "a"), ("credit", "b")])
def test_saga_02_a_request_id_of_a_step_that_somebody_else_used(step: str, code: str) -> None:
    """Its first result is not the step: nothing is believed to have happened, and nothing of theirs is undone."""
    bank = Bank()
    given = CommandInput("ACCOUNT", code, code, {"balance": START[code], "note": 1}, -1)
    bank.world.sync.publish_sync(given, replace(CONTEXT, request_id=f"r1.{step}"))
    result = bank.run()
    assert (result.status, result.error) == ("FAILED", "RequestConflict")
    bank.check(result)


def test_saga_02_a_step_that_waits_behind_a_failed_command_is_undone_at_once() -> None:
    """Nothing was published, so nothing must be published to undo it."""
    bank = Bank(target=refuse("b", when="OTHER"))
    with pytest.raises(LookupError):
        bank.open("b", 5, transfers={"r1": "OTHER"})
    result = bank.run()
    assert (result.status, result.error, result.visited[-1]) == ("FAILED", "TransientConflict", "undone")
    assert (bank.balances["a"], bank.latest["b"], result.seconds < 60) == (START["a"], START["b"], True)


def test_saga_02_a_step_whose_command_an_operator_skipped_did_not_happen() -> None:
    """The function died after its command had FAILED; before its next try somebody skipped the command."""
    bank = Bank(target=refuse("a", when="DEBITED"))
    invoke = bank._invoke

    def dies_then_skipped(function: str, payload: Any) -> InvokeResult:
        result = invoke(function, payload)
        state = payload["context"]["State"]
        if (state["Name"], state["RetryCount"]) != ("debit", 0):
            return result
        (failed,) = [row for row in bank.world.repository.versions(bank.key("a")) if status.is_failed(row)]
        pipeline = bank.world.pipeline
        skip = Skipper(bank.store, bank.world.clock, pipeline.finisher, pipeline.record_failure)
        skip(VersionKey.parse(failed["pk"], failed["sk"]))
        return InvokeResult(None, FunctionError(EXITED, "exit status 137"), "r")

    bank.test.manager._invoker.invoke = dies_then_skipped  # type: ignore[method-assign]
    result = bank.run()
    assert (result.status, result.error, result.visited) == ("FAILED", "CommandFailed", ["debit", "undo", "undone"])
    assert "was skipped" in (result.cause or "")
    bank.check(result)


def test_saga_02_a_later_execution_of_a_finished_transfer_undoes_nothing() -> None:
    bank = Bank()
    assert bank.run().status == "SUCCEEDED"
    bank.test.fail("credit", "Lambda.Unknown", times=4)
    result = bank.run()
    assert (result.status, result.visited[-1]) == ("FAILED", "undone")
    assert (bank.balances, bank.marks("a")) == (MOVED, ["-", "DEBITED"])


def test_saga_02_another_execution_brings_to_its_end_what_one_left() -> None:
    """As an operator does after UndoFailed, or when the execution was aborted: another id, the same request id."""
    bank = Bank()
    bank.test.fail("credit", "Lambda.Unknown", times=4)
    bank.test.fail("undo", "LookupError", times=31)
    assert bank.run().error == "UndoFailed"
    assert bank.balances["a"] == MOVED["a"]
    result = bank.run()
    assert result.status == "SUCCEEDED"
    bank.check(result)


def test_saga_02_another_execution_goes_on_with_an_undo_that_stopped() -> None:
    bank = Bank()
    invoke = bank._invoke
    lost: list[Any] = []

    def dies_in_the_undo(function: str, payload: Any) -> InvokeResult:
        if (
            payload["context"]["State"]["Name"] == "undo"
            and payload["context"]["State"]["RetryCount"] < 31
            and not lost
        ):
            bank.store.calls, bank.store.at = 0, 12

            def act(after: bool) -> None:
                raise Died

            bank.store.act = act
        try:
            return invoke(function, payload)
        except Died:
            lost.append(payload)
            bank.test.fail("undo", "LookupError", times=30)
            return InvokeResult(None, FunctionError(EXITED, "exit status 137"), "r")

    bank.test.manager._invoker.invoke = dies_in_the_undo  # type: ignore[method-assign]
    assert bank.run(to="nobody").error == "UndoFailed"
    bank.store.at = None
    assert (bank.saga()["status"], len(lost)) == ("UNDOING", 1)
    result = bank.run(to="nobody")
    assert (result.status, result.error) == ("FAILED", "SagaIsUndone")
    bank.check(result)
    assert bank.marks("a") == ["-", "DEBITED", "UNDONE"]


@pytest.mark.parametrize(("code", "when"), [("a", "DEBITED"), ("b", "CREDITED")])
def test_saga_02_a_command_of_the_saga_fails_in_the_pipeline(code: str, when: str) -> None:
    """Its built-in target may have been applied: it is left out and reversed, and the account is free again."""
    bank = Bank(target=refuse(code, when=when))
    result = bank.run()
    assert (result.error, result.cause) == ("LookupError", f"no ledger for {code}")
    bank.check(result)
    assert bank.data("b")["version"] == len(bank.marks("b"))
    bank.open("a", 200)  # others go on


def test_saga_02_an_undo_that_fails_goes_on_once_it_is_redriven() -> None:
    broken = True

    class Ledger:
        def up(self, command: Command) -> None:
            if broken and command.attributes.get("transfers", {}).get("r1") == "UNDONE":
                raise LookupError("the ledger is down")

    bank = Bank(target=Ledger())
    failing = bank._invoke

    def repaired_after_a_while(function: str, payload: Any) -> InvokeResult:
        nonlocal broken
        if payload["context"]["State"]["RetryCount"] == 4 and broken:
            broken = False
            redrive(bank)
        return failing(function, payload)

    bank.test.manager._invoker.invoke = repaired_after_a_while  # type: ignore[method-assign]
    result = bank.run(to="nobody")
    assert result.error == "NotFound"
    bank.check(result)
