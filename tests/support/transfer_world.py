"""The sample transfer in memory, with faults at the calls of its store."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handlers.commands import status
from handlers.commands.attempts import Attempts
from handlers.commands.keys import EntityKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.pipeline.run import Run
from handlers.operations.skip import Skipper
from handlers.store.memory import MemoryTableStore
from handlers.store.port import TASKS
from handlers.workflows.keys import approval_sk, saga_partition
from local.testing import WorkflowResult, WorkflowTest
from tests.modules.transfer import Transfer
from tests.support.pipelines import CONTEXT, World

GIVEN = {"tenantCode": "t1", "requestId": "r1", "from": "a", "to": "b", "amount": 30, "requestedBy": "u1"}
START = {"a": 100, "b": 5}
MOVED = {"a": 70, "b": 35}


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


def redrive(bank: Bank) -> None:
    """As an operator does, and the machine that it starts."""
    for code in START:
        for row in bank.world.repository.versions(bank.key(code)):
            if status.is_failed(row):
                again = Attempts(bank.store, bank.world.clock).begin_next(row)
                bank.world.apply(Run(Command.from_row(row).key, row["id"], again["attempt"], "redriven"))
