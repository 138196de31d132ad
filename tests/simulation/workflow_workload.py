"""Those who start workflows, publish beside them, decide, and repair. The seed says who does what, and when."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from handlers.commands import status
from handlers.commands.keys import DEFAULT_KIND, EntityKey, VersionKey
from handlers.commands.model import Command, CommandInput
from handlers.commands.publishing.retry import publish_with_retry
from handlers.core.context import InvokeContext
from handlers.core.errors import CommandFailed, NotFound, SkipRefused, TokenGone, TransientError, VersionConflict
from handlers.workflows.approvals import AlreadyDecided, Approval
from local.functions.model import SimulatedCrash
from local.states.running.executions import Execution
from tests.modules.transfer import TYPE
from tests.simulation.beats import BEATS_EVERY
from tests.simulation.gate import Refused
from tests.simulation.sites import current_visit
from tests.simulation.workflow_watcher import Asked
from tests.simulation.workflow_world import ARNS, SimulatedWorkflows

TENANT = "t1"
DAY = 86_400.0
BALANCE = 100
ACCOUNTS = ("a1", "a2", "a3")
#: Accounts that take no transfer, each for another reason; the last one does not exist.
CLOSED, DELETED, BROKEN, MISSING = "closed", "deleted", "broken", "missing"
ODD = (CLOSED, DELETED, BROKEN, MISSING)
PASSES = (SimulatedCrash, TransientError)
#: Ends of a transfer after which somebody starts it again under another id (docs/workflow-transfer.md).
LEFT_OVER = ("ABORTED", "TIMED_OUT")
MOST_TRIES = 200


class WorkflowWorkload:
    """Opens the accounts, then lets everybody loose."""

    def __init__(self, world: SimulatedWorkflows, seed: int, *, transfers: int, approvals: int, others: int) -> None:
        self._world = world
        self._seed = seed
        self._repairs: dict[str, int] = {}
        self.sums: dict[str, list[int]] = {}
        self.beaten: dict[str, str] = {}
        world.executions.on_status_change(self._ended)
        for code in (*ACCOUNTS, CLOSED, DELETED, BROKEN):
            self._spawn(f"opener {code}", partial(self._open, code))
        for code in ACCOUNTS:
            self._spawn(f"publisher {code}", partial(self._publish, code))
        for number in range(1, transfers + 1):
            self._transfer(f"r{number:02d}")
        for number in range(1, approvals + 1):
            self._approval(f"p{number:02d}")
        for number in range(1, others + 1):
            self._sum(f"s{number:02d}")
            self._beat(f"b{number:02d}")

    def _spawn(self, name: str, work: Callable[[Callable[[], None], random.Random], None]) -> None:
        """A process of its own, with its own luck. It calls ``visit`` before each thing that it does."""
        rng = random.Random(f"{self._seed} {name}")
        subject = name.split()[1]

        def run() -> None:
            def visit() -> None:
                current_visit.set(self._world.visit(subject, 0, name.split()[0]))

            visit()
            work(visit, rng)

        self._world.spawn(run, name)

    def _sleep(self, seconds: float) -> None:
        self._world.scheduler.sleep(seconds)

    # -- accounts -----------------------------------------------------------------------------------

    def _open(self, code: str, visit: Callable[[], None], _rng: random.Random) -> None:
        attributes: dict[str, Any] = {} if code == BROKEN else {"balance": BALANCE}
        if code == CLOSED:
            attributes["closed"] = True
        self._apply(visit, code, "open", lambda latest: CommandInput(TYPE, code, code, attributes))
        if code == DELETED:
            self._apply(visit, code, "delete", lambda latest: _deletion(code, latest))

    def _apply(
        self, visit: Callable[[], None], code: str, what: str, build: Callable[[Command | None], CommandInput | None]
    ) -> None:
        """Publish synchronously until it is applied; the operator redrives what fails."""
        sync, publisher = self._world.sync_publisher(), self._world.publisher()
        key = EntityKey(DEFAULT_KIND, TENANT, TYPE, code)
        context = InvokeContext("bank", TENANT, request_id=f"{what}-{code}")
        for _ in range(MOST_TRIES):
            visit()
            try:
                publish_with_retry(build, 5, key=key, context=context, publisher=publisher, publish=sync.publish_sync)
            except (*PASSES, VersionConflict):
                self._sleep(60.0)
            except (Refused, CommandFailed):
                self._sleep(1800.0)
            else:
                return

    def _publish(self, code: str, visit: Callable[[], None], rng: random.Random) -> None:
        """Somebody else works on the account: versions that say nothing about money."""
        publisher = self._world.publisher()
        key = EntityKey(DEFAULT_KIND, TENANT, TYPE, code)
        for number in range(rng.choice((0, 0, 1, 3))):
            self._sleep(rng.uniform(0.0, rng.choice((5.0, 120.0, 3600.0))))
            context = InvokeContext("clerk", TENANT, request_id=f"note-{code}-{number}")

            def build(latest: Command | None, number: int = number) -> CommandInput | None:
                if latest is None:
                    return None
                return CommandInput(TYPE, code, latest.name, {**latest.attributes, "note": number})

            for _ in range(3):
                visit()
                try:
                    publish_with_retry(build, 5, key=key, context=context, publisher=publisher)
                except (*PASSES, VersionConflict):
                    self._sleep(rng.uniform(0.0, 10.0))
                else:
                    break

    # -- starts -------------------------------------------------------------------------------------

    def _start(self, name: str, subject: str, given: Mapping[str, Any], delay: float) -> None:
        """Somebody starts a workflow, and repeats it until it is accepted."""

        def run(visit: Callable[[], None], rng: random.Random) -> None:
            self._sleep(delay)
            arns = set()
            for _ in range(MOST_TRIES):
                visit()
                try:
                    arns.add(self._world.workflow_port.start(name, given, subject))
                except PASSES:
                    self._sleep(rng.uniform(0.0, 60.0))
                    continue
                if rng.random() < 0.7:
                    break  # else once more: the same id, the same execution
            if len(arns) > 1:
                self._world.books.broken("WF-03", subject, f"one id, several executions: {sorted(arns)}")

        self._spawn(f"starter {subject}", run)

    def _transfer(self, request: str) -> None:
        rng = random.Random(f"{self._seed} {request}")
        source, target = rng.sample(ACCOUNTS, 2)
        if rng.random() < 0.3:
            odd = rng.choice(ODD)
            source, target = (odd, target) if rng.random() < 0.3 else (source, odd)
        amount = rng.choice((1, 20, 60))
        self._world.books.asked[request] = Asked(source, target, amount)
        given = {"tenantCode": TENANT, "requestId": request, "from": source, "to": target, "amount": amount}
        delay = rng.uniform(0.0, rng.choice((5.0, 120.0)))
        self._start("transfer", f"{request}", {**given, "requestedBy": "u1"}, delay)
        if rng.random() < 0.2:  # a client that gave the same request another id
            self._start("transfer", f"{request} b", {**given, "requestedBy": "u1"}, delay + rng.uniform(0.0, 20.0))

    def _ended(self, execution: Execution) -> None:
        """Somebody sees the alarm and starts a transfer again that was left where it stood."""
        if execution.machine.arn != ARNS["transfer"]:
            return
        if execution.status not in LEFT_OVER and execution.error != "UndoFailed":
            return
        request = execution.input["requestId"]
        self._repairs[request] = self._repairs.get(request, 0) + 1
        self._start("transfer", f"{request} again {self._repairs[request]}", execution.input, 600.0)

    # -- approvals ----------------------------------------------------------------------------------

    def _approval(self, subject: str) -> None:
        rng = random.Random(f"{self._seed} {subject}")
        given = {"tenantCode": TENANT, "requestId": subject, "subject": "a chair", "requestedBy": "u1"}
        delay = rng.uniform(0.0, 60.0)
        self._start("approval", subject, given, delay)
        for person in range(rng.choice((0, 1, 1, 2, 3))):
            at = rng.choice(
                (rng.uniform(0.0, 200.0), delay + DAY + rng.uniform(-45.0, 45.0), rng.uniform(0.0, 2 * DAY))
            )
            self._spawn(f"person{person} {subject}", partial(self._decide, subject, at))

    def _decide(self, subject: str, at: float, visit: Callable[[], None], rng: random.Random) -> None:
        self._sleep(at)
        decision = rng.choice(("APPROVED", "REJECTED"))
        who = InvokeContext(rng.choice(("boss", "deputy")), TENANT)
        for _ in range(rng.choice((1, 1, 2, 4))):
            visit()
            try:
                self._world.books.answered(subject, decision, self._answer(decision, subject, who))
            except AlreadyDecided as refused:
                self._world.books.answered(subject, decision, refused)
                return
            except NotFound:
                self._sleep(rng.uniform(0.0, 60.0))
            except PASSES:
                if rng.random() < 0.5:
                    return  # they went home
                self._sleep(rng.uniform(0.0, 60.0))

    def _answer(self, decision: str, subject: str, who: InvokeContext) -> Approval:
        if decision == "APPROVED":
            return self._world.approvals.approve("approval", subject, who)
        return self._world.approvals.reject("approval", subject, who, "too dear")

    # -- the other samples --------------------------------------------------------------------------

    def _sum(self, subject: str) -> None:
        rng = random.Random(f"{self._seed} {subject}")
        self.sums[subject] = [rng.randrange(10) for _ in range(rng.randrange(1, 5))]
        self._start("three_steps", subject, {"numbers": self.sums[subject]}, rng.uniform(0.0, 60.0))

    def _beat(self, subject: str) -> None:
        """A system that works for a while, tells that it does, and answers; or stops on the way."""
        self._start("beats", subject, {}, 0.0)

        def work(visit: Callable[[], None], rng: random.Random) -> None:
            beats = rng.randrange(6)
            stops = rng.random() < 0.3
            while not self._world.tokens.get(subject):
                self._sleep(5.0)
                if self._world.scheduler.now() > self._begin + 3600.0:
                    return
            for number in range(beats + 1):
                self._sleep(BEATS_EVERY)
                visit()
                token = self._world.tokens[subject][-1]
                try:
                    if number < beats:
                        self._world.workflow_port.heartbeat(token)
                    elif not stops:
                        self.beaten[subject] = "tried"
                        self._world.workflow_port.resume(token, {"answer": subject})
                        self.beaten[subject] = "answered"
                except TokenGone:
                    return
                except PASSES:
                    if rng.random() < 0.3:
                        return

        self._begin = self._world.scheduler.now()
        self._spawn(f"worker {subject}", work)


def _deletion(code: str, latest: Command | None) -> CommandInput:
    attributes = {} if latest is None else latest.attributes
    return CommandInput(TYPE, code, code, attributes, is_deleted=True)


class LastingOperator:
    """Redrives what has failed, or skips a failed step of a transfer, crashes and all: an eager one looks every few
    seconds in the first hour; then every half hour for as long as sagas may try.
    """

    def __init__(self, world: SimulatedWorkflows, seed: int, hours: float) -> None:
        self._world = world
        self._random = random.Random(f"{seed} operator")
        eager = [20.0] * self._random.choice((0, 180))
        self._pauses = [*eager, *[1800.0] * int(hours * 2)]
        world.spawn(self._run, "operator")

    def _run(self) -> None:
        redriver, skipper = self._world.redriver(), self._world.skipper()
        for pause in self._pauses:
            self._world.scheduler.sleep(pause)
            for name, entity in sorted(self._world.watcher.entities.items()):
                failed = [row for row in entity.rows.values() if status.is_failed(row)]
                if not failed:
                    continue
                current_visit.set(self._world.visit(name, 0, "operator"))
                with suppress(*PASSES, SkipRefused):  # the next round, or the sweeper, goes on
                    # An undo is redriven: who skips it leaves one side applied (docs/workflow-transfer.md).
                    step = failed[0].get("requestId", "").endswith((".debit", ".credit"))
                    if step and self._random.random() < 0.5:
                        skipper(VersionKey.parse(failed[0]["pk"], failed[0]["sk"]))
                    else:
                        redriver.entity(entity.key)
