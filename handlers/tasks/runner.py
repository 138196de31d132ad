"""Consumer of the task queue: runs single tasks under a lease, starts the state machine for tasks with items."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from contract.messages import TASK_EXECUTE
from handlers.commands.failure import Failure
from handlers.consumers.batch_results import answer_each
from handlers.consumers.failure_policy import Consumer, Outcome, outcome_of
from handlers.consumers.queue_messages import row_named
from handlers.core.context import restored_context
from handlers.core.error_text import error_of, message_of, type_of
from handlers.core.errors import CqrsError, Nature, TransientError, TransientThrottle
from handlers.core.light_dataclasses import dataclass
from handlers.core.log import log_step
from handlers.core.values.json_values import check_json
from handlers.store.conditions import Condition, absent, at_most, equals
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore
from handlers.tasks import status
from handlers.tasks.finalize import Finalizer
from handlers.tasks.handlers import TaskCall, TaskHandlers
from handlers.tasks.keys import TaskKey
from handlers.tasks.model import MAX_INPUT_BYTES
from handlers.tasks.repository import TaskRepository
from handlers.tasks.writes import LEASE_MARKS, WORK_MARKS, becomes, of_attempt

if TYPE_CHECKING:
    from handlers.consumers.dead_letters import DeadLetters
    from handlers.core.clock import Clock
    from handlers.state_machines.port import StateMachines

#: A single task without activity for this long is considered dead: longer than all deliveries of its message.
SINGLE_GRACE_SECONDS = 2 * 3_600
#: Added to the state machine's timeout: time for its end and for the rule that reports it.
MACHINE_GRACE_SECONDS = 600


class TaskIsLeased(CqrsError):
    """Another run holds the task: this delivery is refused, and the message is redelivered later."""

    nature = Nature.TRANSIENT


@dataclass(frozen=True)
class RunnerOptions:
    """``lease_seconds``: longer than the function may run; ``max_receives``: the queue's."""

    machine_arn: str
    timeout_minutes: int
    lease_seconds: int
    max_receives: int


class TaskRunner:
    """Consumes batches of the queue."""

    def __init__(
        self,
        store: TableStore,
        clock: Clock,
        state_machines: StateMachines,
        handlers: TaskHandlers,
        letters: DeadLetters,
        options: RunnerOptions,
    ) -> None:
        """``letters``: for messages that name no task."""
        self._letters = letters
        self._store = store
        self._clock = clock
        self._state_machines = state_machines
        self._handlers = handlers
        self._options = options
        self._rows = TaskRepository(store)
        self._finalize = Finalizer(store, clock)

    def __call__(self, records: Sequence[Mapping[str, Any]], invocation: str) -> dict[str, Any]:
        """Process a batch; ``invocation`` is unique to this call.

        Returns:
            ``{"batchItemFailures": [{"itemIdentifier": <message id>}]}``: these are redelivered.
        """

        def work(record: Mapping[str, Any], receives: int) -> None:
            key, attempt = row_named(record, TASK_EXECUTE, TaskKey.parse)
            self.run(key, attempt, f"{invocation}/{record['messageId']}", is_last=self._is_last(receives))

        return answer_each(records, work, "task message failed", self._letters)

    def run(self, key: TaskKey, attempt: int, lease_id: str, *, is_last: bool) -> None:
        """Process one attempt of a task. A return means that its message is done.

        A permanent error fails the task at once, all others at the last receive.

        Raises:
            TaskIsLeased, and before the last receive the errors of the handler or of starting the execution.
        """
        row = self._rows.task(key)
        if row is None or row["attempt"] != attempt or status.is_terminal(row):
            log_step("dropped: the task has moved on", pk=key.pk, sk=key.sk, attempt=attempt)
        elif row["kind"] == status.BATCH:
            self._start(key, row, is_last)
        else:
            self._work(key, row, lease_id, is_last)

    # -- tasks with items ---------------------------------------------------------------------------

    def _start(self, key: TaskKey, row: Item, is_last: bool) -> None:
        if row["status"] != status.PROCESSING:
            now = self._clock.now()
            due_at = int(now) + self._options.timeout_minutes * 60 + MACHINE_GRACE_SECONDS
            change = Change(set=becomes(status.PROCESSING, now, dueAt=due_at))
            guard = of_attempt(row["attempt"]) & equals("status", status.QUEUED) & absent("stopping")
            try:
                self._store.update(TASKS, key.pk, key.sk, change, guard)
            except ConditionFailed as error:
                found = error.item
                if found is None or found["attempt"] != row["attempt"] or status.is_terminal(found):
                    return
                if "stopping" in found and found["status"] != status.PROCESSING:
                    self._finalize(key, row["attempt"])
                    return
                if found["status"] != status.PROCESSING:
                    raise TaskIsLeased(f"{key}: {found['status']}, not queued yet") from None
        try:
            self._state_machines.start(self._options.machine_arn, execution_name(row), execution_input(row))
        except Exception as error:
            if not is_last and outcome_of(error, Consumer.TASK) is Outcome.RETRIED:
                raise
            if outcome_of(error, Consumer.TASK) is not Outcome.FAILED and not _is_refused(error):
                # The execution may be running: then it ends the task. Otherwise the sweeper does, after the timeout.
                log_step("start unknown", level=logging.WARNING, error=error, pk=key.pk, sk=key.sk)
                return
            log_step("task not started", level=logging.ERROR, error=error, pk=key.pk, sk=key.sk, attempt=row["attempt"])
            self._finalize(key, row["attempt"], error_of(type_of(error), message_of(error)))

    # -- single tasks -------------------------------------------------------------------------------

    def _work(self, key: TaskKey, row: Item, lease_id: str, is_last: bool) -> None:
        claimed = self._claim(key, row, lease_id)
        if claimed is None:
            return
        mine = of_attempt(row["attempt"]) & equals("leaseId", lease_id)
        call = TaskCall(key.id, row["attempt"], None, restored_context(row, row.get("requestId")))
        try:
            result = check_json("result", self._handlers.run(row["type"], claimed["input"], call), MAX_INPUT_BYTES)
        except Exception as error:
            if is_last or outcome_of(error, Consumer.TASK) is Outcome.FAILED:
                log_step("task failed", level=logging.ERROR, error=error, pk=key.pk, sk=key.sk, attempt=row["attempt"])
                failure = Failure.from_exception(error)
                self._end(key, status.FAILED, mine, {"error": error_of(failure.type, failure.message)})
                return
            self._release(key, mine)
            raise
        self._end(key, status.COMPLETED, mine, {"result": result})

    def _claim(self, key: TaskKey, row: Item, lease_id: str) -> Item | None:
        """Take the lease. None: the task has progressed. Raises TaskIsLeased."""
        now = self._clock.now()
        change = Change(
            set=becomes(
                status.PROCESSING,
                now,
                leaseId=lease_id,
                leaseUntil=int(now) + self._options.lease_seconds,
                dueAt=int(now) + SINGLE_GRACE_SECONDS,
            )
        )
        free = absent("leaseUntil") | at_most("leaseUntil", int(now)) | equals("leaseId", lease_id)
        guard = of_attempt(row["attempt"]) & status.may_become(status.TASK, status.PROCESSING) & free
        try:
            return self._store.update(TASKS, key.pk, key.sk, change, guard)
        except ConditionFailed as error:
            found = error.item
            if found is None or found["attempt"] != row["attempt"] or status.is_terminal(found):
                return None
            raise TaskIsLeased(f"{key}: {found['status']}, leased until {found.get('leaseUntil')}") from None

    def _release(self, key: TaskKey, mine: Condition) -> None:
        try:
            self._store.update(TASKS, key.pk, key.sk, Change(remove=LEASE_MARKS), mine)
        except ConditionFailed:
            return  # taken over, or cancelled
        except TransientError as error:
            log_step("lease not released: it will expire", level=logging.WARNING, error=error, pk=key.pk, sk=key.sk)

    def _end(self, key: TaskKey, new: str, mine: Condition, fields: dict[str, Any]) -> None:
        change = Change(set=becomes(new, self._clock.now(), **fields), remove=WORK_MARKS)
        try:
            self._store.update(TASKS, key.pk, key.sk, change, mine & status.may_become(status.TASK, new))
        except ConditionFailed:
            log_step("outcome dropped: the task was taken over or cancelled", pk=key.pk, sk=key.sk)

    def _is_last(self, receives: int) -> bool:
        return receives >= self._options.max_receives


def _is_refused(error: Exception) -> bool:
    return isinstance(error, TransientThrottle) and error.refused


def execution_name(row: Mapping[str, Any]) -> str:
    """A pure function of the task and its attempt, so that a redelivery finds the execution that it started."""
    text = "\0".join((row["pk"], row["sk"], str(row["attempt"])))
    return hashlib.sha256(text.encode()).hexdigest()


def execution_input(row: Mapping[str, Any]) -> dict[str, Any]:
    """Keys and the indexes of the items to run: all, or in a later attempt the retried ones."""
    return {
        "pk": row["pk"],
        "sk": row["sk"],
        "attempt": row["attempt"],
        "maxConcurrency": row["maxConcurrency"],
        "items": row.get("attemptItems", list(range(row["total"]))),
    }
