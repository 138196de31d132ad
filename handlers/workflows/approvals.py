"""Approvals: decisions by people that a workflow waits for. A row in ``tasks`` holds the token until the answer.

``APPROVAL#<tenant>``, ``<workflow>#<requestId>``. The row decides: an answer first writes the decision, then sends it,
then removes the token. So whoever comes second (another person, the timeout, a repeated call) finds what was decided,
and a crash between two of these steps is healed by the next call or by the timeout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from handlers.clock import Clock, iso
from handlers.commands.policies import SECONDS_PER_DAY
from handlers.context import InvokeContext
from handlers.errors import CqrsError, NotFound, TokenGone, ValidationError
from handlers.keys import approval_partition, approval_prefix, approval_sk, parse_approval_sk
from handlers.store.conditions import absent, at_most, equals
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore
from handlers.workflows.port import CustomWorkflows

OPEN = "OPEN"
APPROVED = "APPROVED"
REJECTED = "REJECTED"
EXPIRED = "EXPIRED"
#: The error of a rejected wait, for the definition's Catch.
REJECTED_ERROR = "Rejected"
TOKEN = "taskToken"
MAX_TEXT_CHARS = 1_000
#: Rows are kept this long after the decision, so that a repeated answer is recognised.
KEPT_DAYS = 90
PAGE = 100


class AlreadyDecided(CqrsError):
    """Somebody decided otherwise, or the time was over. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval as people see it: never the token."""

    workflow: str
    request_id: str
    status: str
    subject: str
    requested_by: str
    requested_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str | None = None

    @classmethod
    def from_row(cls, row: Item) -> Approval:
        """From the stored row."""
        workflow, request_id = parse_approval_sk(row["sk"])
        return cls(
            workflow,
            request_id,
            row["status"],
            row["subject"],
            row["requestedBy"],
            row["requestedAt"],
            row.get("decidedBy"),
            row.get("decidedAt"),
            row.get("reason"),
        )


class Approvals:
    """The approvals of all workflows: asked by their states, answered by people."""

    def __init__(self, store: TableStore, clock: Clock, workflows: CustomWorkflows) -> None:
        self._store = store
        self._clock = clock
        self._workflows = workflows

    # -- for people ----------------------------------------------------------------------------------------

    def list_open(self, tenant_code: str, *, workflow: str | None = None) -> Iterator[Approval]:
        """The tenant's open approvals, by workflow and request id."""
        prefix = "" if workflow is None else approval_prefix(workflow)
        start = None
        while True:
            page = self._store.query(
                TASKS, approval_partition(tenant_code), sk_prefix=prefix, limit=PAGE, consistent=True, start=start
            )
            yield from (Approval.from_row(row) for row in page.items if row["status"] == OPEN)
            start = page.next_key
            if start is None:
                return

    def approve(self, workflow: str, request_id: str, context: InvokeContext) -> Approval:
        """Let the workflow go on. The same answer again changes nothing.

        Raises:
            NotFound: there is no such approval.
            AlreadyDecided: it was rejected, or its time is over.
        """
        return self._answer(workflow, request_id, context, APPROVED, None)

    def reject(self, workflow: str, request_id: str, context: InvokeContext, reason: str) -> Approval:
        """Let the workflow take its rejected path. Raises as ``approve``; ValidationError about the reason."""
        if not isinstance(reason, str) or not 0 < len(reason) <= MAX_TEXT_CHARS:
            raise ValidationError("reason", reason, f"text of 1 to {MAX_TEXT_CHARS} characters")
        return self._answer(workflow, request_id, context, REJECTED, reason)

    # -- for the states ------------------------------------------------------------------------------------

    def ask(self, key: tuple[str, str], token: str, retry_count: int, *, execution: str, **shown: str) -> None:
        """Store the token that an answer needs. ``key``: pk and sk. ``shown``: ``subject`` and ``requestedBy``.

        A repeated state has a token of its own, which replaces that of the try before; a late try replaces none. If
        people decided meanwhile, the state is answered at once.

        Raises:
            ValidationError: another execution asks under this request id.
        """
        pk, sk = key
        now = self._clock.now()
        row: Item = {
            "pk": pk,
            "sk": sk,
            "status": OPEN,
            "execution": execution,
            TOKEN: token,
            "tokenRetry": retry_count,
            "requestedAt": iso(now),
            **shown,
        }
        try:
            self._store.put(TASKS, row, absent("pk") | at_most("ttl", int(now)))
        except ConditionFailed as found:
            self._ask_again(row, found.item)

    def settle(self, key: tuple[str, str]) -> str:
        """The wait is over without an answer: EXPIRED, unless people decided and only the sending was lost."""
        pk, sk = key
        now = self._clock.now()
        change = Change(set={"status": EXPIRED, "decidedAt": iso(now), "ttl": _ttl(now)}, remove=(TOKEN,))
        try:
            return str(self._store.update(TASKS, pk, sk, change, equals("status", OPEN))["status"])
        except ConditionFailed as decided:
            if decided.item is None:
                raise NotFound(f"{pk} {sk}: there is no such approval") from None
            self._forget_token(decided.item)
            return str(decided.item["status"])

    # -- inside --------------------------------------------------------------------------------------------

    def _answer(
        self, workflow: str, request_id: str, context: InvokeContext, decision: str, reason: str | None
    ) -> Approval:
        pk, sk = approval_partition(context.tenant_code), approval_sk(workflow, request_id)
        now = self._clock.now()
        given: dict[str | tuple[str, ...], Any] = {
            "status": decision,
            "decidedBy": context.user_id,
            "decidedAt": iso(now),
            "ttl": _ttl(now),
        }
        if reason is not None:
            given["reason"] = reason
        change = Change(set=given)
        try:
            row = self._store.update(TASKS, pk, sk, change, equals("status", OPEN))
        except ConditionFailed as found:
            if found.item is None:
                raise NotFound(f"{pk} {sk}: there is no such approval") from None
            row = found.item
            if row["status"] != decision:
                raise AlreadyDecided(f"{pk} {sk}: not {decision}, it is {row['status']} {_since(row)}") from None
        self._send(row)
        return Approval.from_row(row)

    def _send(self, row: Item) -> None:
        """Tell the state what was decided, unless it knows; then nobody needs the token any more."""
        token = row.get(TOKEN)
        if token is None:
            return
        try:
            if row["status"] == APPROVED:
                self._workflows.resume(token, {"decision": APPROVED})
            else:
                self._workflows.fail(token, REJECTED_ERROR, row.get("reason", ""))
        except TokenGone:
            pass  # answered by a call that died before it removed the token, or timed out: settle tells the decision
        self._forget_token(row)

    def _forget_token(self, row: Item) -> None:
        if TOKEN not in row:
            return
        try:
            self._store.update(TASKS, row["pk"], row["sk"], Change(remove=(TOKEN,)), equals(TOKEN, row[TOKEN]))
        except ConditionFailed:
            return  # another call did, or the state came again with another token

    def _ask_again(self, row: Item, found: Item | None) -> None:
        if found is None or found["execution"] != row["execution"]:
            raise ValidationError("requestId", row["sk"], "one that no other execution asks under")
        newer = equals("status", OPEN) & at_most("tokenRetry", row["tokenRetry"])
        change = Change(set={TOKEN: row[TOKEN], "tokenRetry": row["tokenRetry"]})
        try:
            self._store.update(TASKS, row["pk"], row["sk"], change, newer)
        except ConditionFailed as late:
            if late.item is not None and late.item["status"] in (APPROVED, REJECTED):
                self._send({**late.item, TOKEN: row[TOKEN]})


def _ttl(now: float) -> int:
    return int(now) + KEPT_DAYS * SECONDS_PER_DAY


def _since(row: Item) -> str:
    by = f" by {row['decidedBy']}" if "decidedBy" in row else ""
    return f"since {row.get('decidedAt')}{by}"
