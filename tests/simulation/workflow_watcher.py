"""What must hold for the sample workflows: at each change of their rows, and once more when all is at rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from handlers.store.port import COMMANDS, TASKS, Item
from handlers.workflows import approvals as decided
from handlers.workflows import saga
from handlers.workflows.approvals import AlreadyDecided, Approval
from handlers.workflows.keys import APPROVAL_KIND, SAGA_KIND, parse_approval_sk
from tests.modules.transfer import CREDITED, DEBITED, TYPE, UNDONE
from tests.simulation.keys import version_key
from tests.simulation.watcher import Violation, Watcher

#: What every task token of the local runtime begins with.
TOKEN_MARK = "AQC"
SAGA_STEPS = {
    (None, saga.RUNNING),
    (None, saga.UNDONE),
    (saga.RUNNING, saga.DONE),
    (saga.RUNNING, saga.UNDOING),
    (saga.DONE, saga.UNDOING),
    (saga.UNDOING, saga.UNDONE),
}
MARK_STEPS = {(None, DEBITED), (None, CREDITED), (None, UNDONE), (DEBITED, UNDONE), (CREDITED, UNDONE)}


@dataclass(frozen=True)
class Asked:
    """A transfer that somebody wants."""

    source: str
    target: str
    amount: int


@dataclass
class WorkflowWatcher:
    """Keeps the books. ``asked``: transfers by request id; ``answers``: what people tried and were told."""

    asked: dict[str, Asked] = field(default_factory=dict)
    sagas: dict[str, Item] = field(default_factory=dict)
    approvals: dict[str, Item] = field(default_factory=dict)
    answers: list[tuple[str, str, Approval | AlreadyDecided]] = field(default_factory=list)
    lines: int = 0

    def watch(self, watcher: Watcher, now: Callable[[], float]) -> None:
        """Whom violations are told to."""
        self._watcher = watcher
        self._now = now

    def broken(self, guarantee: str, subject: str, text: str) -> None:
        """Keep a violation."""
        self._watcher.violations.append(Violation(guarantee, subject, text))

    # -- at each change -----------------------------------------------------------------------------

    def changed(self, table: str, before: Item | None, after: Item | None) -> None:
        """A row changed."""
        if after is None:
            return  # the watcher of the commands tells
        if table == COMMANDS and before is None and after.get("type") == TYPE and "version" in after:
            self._accepted(after)
        elif table == TASKS and after["pk"].startswith(f"{SAGA_KIND}#"):
            self._saga(before, after)
        elif table == TASKS and after["pk"].startswith(f"{APPROVAL_KIND}#"):
            self._approval(before, after)

    def logged(self, line: str) -> None:
        """A line was logged."""
        self.lines += 1
        if TOKEN_MARK in line:
            self.broken("WF-05", "log", f"a line of the log holds a token: {line[:200]}")

    def _accepted(self, row: Item) -> None:
        """A new version of an account: it does at most one step of one transfer, once, and to the right amount."""
        key = version_key(row["pk"], row["sk"])
        entity = self._watcher.entities[key.entity.code]
        if key.version == 1:
            return
        earlier, now = entity.rows[key.version - 1]["attributes"], row["attributes"]
        marks = [(one, earlier.get("transfers", {}).get(one), mark) for one, mark in now.get("transfers", {}).items()]
        steps = [(one, old, new) for one, old, new in marks if old != new]
        if len(steps) > 1 or earlier.get("transfers", {}).keys() - now.get("transfers", {}).keys():
            self.broken("SAGA-03", key.entity.code, f"@{key.version} changes several transfers: {steps}")
        delta = 0
        for request, old, new in steps:
            asked = self.asked[request]
            delta += {
                (None, DEBITED): -asked.amount,
                (DEBITED, UNDONE): asked.amount,
                (None, CREDITED): asked.amount,
                (CREDITED, UNDONE): -asked.amount,
            }.get((old, new), 0)
            side = {DEBITED: asked.source, CREDITED: asked.target}.get(old or new, key.entity.code)
            if (old, new) not in MARK_STEPS or side != key.entity.code:
                self.broken("SAGA-03", request, f"account {key.entity.code}@{key.version}: {old} -> {new}")
        if now.get("balance") != earlier.get("balance") and now["balance"] != earlier["balance"] + delta:
            text = f"@{key.version} went from {earlier['balance']} to {now['balance']} by {steps}"
            self.broken("SAGA-03", key.entity.code, text)

    def _saga(self, before: Item | None, after: Item) -> None:
        subject = parse_approval_sk(after["sk"])[1]
        self.sagas[subject] = after
        was = None if before is None else before["status"]
        if was != after["status"] and (was, after["status"]) not in SAGA_STEPS:
            self.broken("SAGA-02", subject, f"the saga went from {was} to {after['status']}")
        if before is None:
            return
        undone = after["undoneCount"] - before["undoneCount"]
        if before["content"] != after["content"] or after["steps"][: len(before["steps"])] != before["steps"]:
            self.broken("SAGA-02", subject, f"the record changed: {before} -> {after}")
        if len(after["steps"]) > len(before["steps"]) and was != saga.RUNNING:
            self.broken("SAGA-02", subject, f"a step was recorded though the saga is {was}")
        if undone not in (0, 1) or after["undoneCount"] > len(after["steps"]) or (undone and was != saga.UNDOING):
            self.broken("SAGA-02", subject, f"undone {before['undoneCount']} -> {after['undoneCount']} of {was}")

    def _approval(self, before: Item | None, after: Item) -> None:
        subject = parse_approval_sk(after["sk"])[1]
        self.approvals[subject] = after
        if before is None:
            return
        is_open = before["status"] == decided.OPEN
        for name in ("status", "decidedBy", "decidedAt", "reason", "execution"):
            if before.get(name) != after.get(name) and (not is_open or name == "execution"):
                self.broken("WF-04", subject, f"{name} went from {before.get(name)} to {after.get(name)}")
        if decided.TOKEN in after and after.get(decided.TOKEN) != before.get(decided.TOKEN) and not is_open:
            self.broken("WF-05", subject, "a decided approval got a token")

    def answered(self, subject: str, decision: str, answer: Approval | AlreadyDecided) -> None:
        """Somebody answered, and this is what they were told: never a token."""
        self.answers.append((subject, decision, answer))
        if TOKEN_MARK in repr(answer) or TOKEN_MARK in str(answer):
            self.broken("WF-05", subject, f"an answer tells the token: {answer}")

    # -- at rest ------------------------------------------------------------------------------------

    def transfer_at_rest(self, request: str, ends: Mapping[str, str]) -> None:
        """Never half applied. ``ends``: the status of each of its executions."""
        asked = self.asked[request]
        marks = [self._mark(code, request) for code in (asked.source, asked.target)]
        applied = marks == [DEBITED, CREDITED]
        if not applied and not set(marks) <= {None, UNDONE}:
            self.broken("SAGA-03", request, f"half applied at the end: {marks}, executions {dict(ends)}")
        elif "SUCCEEDED" in ends.values() and not applied:
            self.broken("SAGA-01", request, f"SUCCEEDED, but {marks}: {dict(ends)}")
        elif applied and "SUCCEEDED" not in ends.values() and len(self.sagas[request].get("doneBy", [])) < 2:
            self.broken("SAGA-02", request, f"applied, but nobody says so: {dict(ends)}")

    def _mark(self, code: str, request: str) -> Any:
        entity = self._watcher.entities.get(code)
        rows = {} if entity is None else entity.rows
        return rows[max(rows)]["attributes"].get("transfers", {}).get(request) if rows else None

    def balances(self) -> dict[str, tuple[Any, Any]]:
        """Of each account: in the log, and in the read model."""
        return {
            code: (
                one.rows[max(one.rows)]["attributes"].get("balance"),
                None if one.data is None else one.data["attributes"].get("balance"),
            )
            for code, one in self._watcher.entities.items()
        }

    def approval_at_rest(self, subject: str, status: str, error: str | None) -> None:
        """One outcome: the execution's is the row's, and what people were told."""
        row = self.approvals.get(subject)
        if status == "ABORTED":
            return  # nothing of it runs any more; an answer is told that nothing waits
        if row is None:
            self.broken("WF-04", subject, f"the execution is {status}, {error}, and there is no row")
            return
        if decided.TOKEN in row:
            self.broken("WF-05", subject, f"the token is still there, {row['status']}")
        expected = {decided.APPROVED: (None,), decided.REJECTED: ("Rejected",), decided.EXPIRED: ("Expired",)}
        if row["status"] == decided.OPEN or error not in expected.get(row["status"], (error,)):
            self.broken("WF-04", subject, f"the row says {row['status']}, the execution {status} {error}")
        if row["status"] == decided.BROKEN and error in (None, "Rejected", "Expired"):
            self.broken("WF-04", subject, f"BROKEN, but the execution says {status} {error}")

    def answers_at_rest(self) -> None:
        """What people were told is what is stored."""
        for subject, decision, answer in self.answers:
            row = self.approvals[subject]
            if isinstance(answer, Approval) and (answer.status, answer.decided_by) != (row["status"], row["decidedBy"]):
                self.broken("WF-04", subject, f"somebody was told {answer}, stored is {row['status']}")
            if isinstance(answer, Approval) and answer.status != decision:
                self.broken("WF-04", subject, f"{decision} was answered with {answer.status}")
            if isinstance(answer, AlreadyDecided) and row["status"] == decision:
                self.broken("WF-04", subject, f"somebody was refused {decision}, which is stored: {answer}")
