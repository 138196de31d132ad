"""SAGA-01 to SAGA-03: the transfer sample in virtual time, on in-memory ports, with a fault at every call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from handlers.commands import status
from handlers.commands.attempts import Attempts
from handlers.commands.keys import EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.pipeline.run import Run
from handlers.core.context import InvokeContext
from handlers.core.errors import TransientThrottle
from handlers.core.keys import MAX_REQUEST_ID_CHARS
from handlers.operations.skip import Skipper
from handlers.store.memory import MemoryTableStore
from handlers.store.port import COMMANDS, TASKS
from handlers.workflows.keys import approval_sk, saga_partition
from handlers.workflows.workflow import WorkflowEvent
from local.functions.model import EXITED, FunctionError, InvokeResult
from local.testing import WorkflowResult, WorkflowTest
from tests.modules.transfer import Transfer
from tests.support.parts import IN_PARTS, part_of
from tests.support.pipelines import CONTEXT, World

GIVEN = {"tenantCode": "t1", "requestId": "r1", "from": "a", "to": "b", "amount": 30, "requestedBy": "u1"}
START = {"a": 100, "b": 5}
MOVED = {"a": 70, "b": 35}

#: The steps' own request ids are made of the transfer's; the last one to be published must fit too.
LONGEST = MAX_REQUEST_ID_CHARS - len(".undo-credit")


class Died(BaseException):
    """The function's process ends."""


class FaultyStore:
    """Dies or is throttled round the call with a number, while ``on``."""

    def __init__(self, inner: MemoryTableStore) -> None:
        self._inner = inner
        self.calls = 0
        self.at: int | None = None
        self.act: Callable[[bool], None] = lambda after: None

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)
        if not callable(method):
            return method

        def call(*args: Any, **given: Any) -> Any:
            self.calls += 1
            hit = self.calls == self.at
            if hit:
                self.act(False)
            result = method(*args, **given)
            if hit:
                self.act(True)
            return result

        return call


class Bank:
    """Two accounts, the pipeline on in-memory ports, and the workflow."""

    def __init__(self, *, target: Any = None) -> None:
        self.store = FaultyStore(MemoryTableStore())
        handlers = {"ledger": ("ACCOUNT", target)} if target else {}
        self.world = World(store=self.store, handlers=handlers)
        pipeline = self.world.pipeline
        skipper = Skipper(self.store, self.world.clock, pipeline.finisher, pipeline.record_failure)
        transfer = Transfer(
            self.store,
            self.world.clock,
            self.world.publisher,
            self.world.sync,
            skipper,
        )
        self.test = WorkflowTest(transfer)
        self._invoke = self.test.invoke
        for code, balance in START.items():
            self.open(code, balance)
        self.store.calls = 0

    def open(self, code: str, balance: int, **attributes: Any) -> None:
        given = CommandInput("ACCOUNT", code, code, {"balance": balance, **attributes}, -1)
        self.world.sync.publish_sync(given, CONTEXT)

    def key(self, code: str) -> EntityKey:
        return EntityKey("TENANT", "t1", "ACCOUNT", code)

    def data(self, code: str) -> dict[str, Any]:
        row = self.world.repository.data(self.key(code))
        assert row is not None
        return dict(row)

    @property
    def balances(self) -> dict[str, int]:
        """Of the read model."""
        return {code: self.data(code)["attributes"]["balance"] for code in START}

    def balances_of(self, code: str) -> int:
        return int(self.data(code)["attributes"]["balance"])

    @property
    def latest(self) -> dict[str, int]:
        """Of the command log."""
        rows = {code: self.world.repository.latest(self.key(code)) for code in START}
        return {code: row["attributes"]["balance"] for code, row in rows.items() if row is not None}

    def marks(self, code: str) -> list[str]:
        """What the transfer did to an account, version by version."""
        rows = sorted(self.world.repository.versions(self.key(code)), key=lambda row: row["sk"])
        return [row["attributes"].get("transfers", {}).get("r1", "-") for row in rows]

    def open_commands(self) -> list[str]:
        rows = [row for code in START for row in self.world.repository.versions(self.key(code))]
        return [f"{row['sk']} {row['status']}" for row in rows if not status.is_done(row)]

    def saga(self) -> dict[str, Any]:
        row = self.store.get(TASKS, saga_partition("t1"), approval_sk("transfer", "r1"))
        assert row is not None
        return dict(row)

    def run(self, **given: Any) -> WorkflowResult:
        return self.test.run({**GIVEN, **given})

    def check(self, result: WorkflowResult) -> None:
        """Never half applied: all or nothing, in both tables, and nothing left open."""
        expected = MOVED if result.status == "SUCCEEDED" else START
        assert (self.balances, self.latest, self.open_commands()) == (expected, expected, [])


def refuse(code: str, *, when: str) -> Callable[[Command], None]:
    """A sync handler that refuses one account's commands with a mark."""

    class Handler:
        def up(self, command: Command) -> None:
            if command.code == code and command.attributes.get("transfers", {}).get("r1") == when:
                raise LookupError(f"no ledger for {code}")

    return Handler()  # type: ignore[return-value]


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


def redrive(bank: Bank) -> None:
    """As an operator does, and the machine that it starts."""
    for code in START:
        for row in bank.world.repository.versions(bank.key(code)):
            if status.is_failed(row):
                again = Attempts(bank.store, bank.world.clock).begin_next(row)
                bank.world.apply(Run(Command.from_row(row).key, row["id"], again["attempt"], "redriven"))


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
