"""Approvals: decisions by people that a workflow waits for. A row in ``tasks`` has the token until the answer.

``APPROVAL#<tenant>``, ``<workflow>#<requestId>``. The row decides: an answer first writes the decision, then sends it,
then removes the token. So whatever comes later (another person, the timeout, a repeated call) finds the decision. A
crash between two of these steps is healed by the next call or by the workflow, which settles the row however its wait
ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from handlers.core.clock import Clock, iso
from handlers.core.context import InvokeContext, caller
from handlers.core.errors import CqrsError, NotFound, TokenGone, TransientConflict, ValidationError
from handlers.core.expiry import SECONDS_PER_DAY
from handlers.core.light_dataclasses import dataclass
from handlers.core.values.json_values import check_text
from handlers.store.conditions import absent, at_most, equals
from handlers.store.port import TASKS, Change, ConditionFailed, Item, TableStore
from handlers.workflows.keys import approval_partition, approval_prefix, approval_sk, parse_approval_sk

if TYPE_CHECKING:
    from handlers.state_machines.port import CustomWorkflows

OPEN = "OPEN"
APPROVED = "APPROVED"
REJECTED = "REJECTED"
EXPIRED = "EXPIRED"
#: The wait ended with an error, or the token was completed without a decision.
BROKEN = "BROKEN"
#: The error of a rejected wait, for the definition's Catch.
REJECTED_ERROR = "Rejected"
TOKEN = "taskToken"
MAX_TEXT_CHARS = 1_000
#: Rows are kept this long after the decision, so that a repeated answer is recognised.
KEPT_DAYS = 90
#: An open row expires when no execution can be waiting for it: they last at most a year (Step Functions quotas).
OPEN_DAYS = 366
PAGE = 100


class AlreadyDecided(CqrsError):
    """It was decided differently, or has timed out. Nothing was changed."""


@dataclass(frozen=True)
class Approval:
    """One approval for display, without the token.

    ``delivered``: False if nothing was waiting for this answer when it was sent. A workflow that is still running finds
    the decision in the row.
    """

    workflow: str
    request_id: str
    status: str
    subject: str
    requested_by: str
    requested_at: str
    decided_by: str | None = None
    decided_at: str | None = None
    reason: str | None = None
    delivered: bool = True

    @classmethod
    def from_row(cls, row: Item, *, delivered: bool = True) -> Approval:
        """From the stored row."""
        workflow, request_id = parse_approval_sk(row["sk"])
        return cls(
            workflow,
            request_id,
            row["status"],
            row.get("subject", ""),
            row.get("requestedBy", ""),
            row.get("requestedAt", ""),
            row.get("decidedBy"),
            row.get("decidedAt"),
            row.get("reason"),
            delivered,
        )


class Approvals:
    """The approvals of all workflows: asked by their states, answered by people."""

    def __init__(self, store: TableStore, clock: Clock, workflows: CustomWorkflows) -> None:
        self._store = store
        self._clock = clock
        self._workflows = workflows

    # -- for people ----------------------------------------------------------------------------------------

    def list_open(
        self, tenant_code: str, *, workflow: str | None = None, after: tuple[str, str] | None = None
    ) -> Iterator[Approval]:
        """The tenant's open approvals, by workflow and request id. ``after``: the last known workflow and id."""
        prefix = "" if workflow is None else approval_prefix(workflow)
        start = None if after is None else {"pk": approval_partition(tenant_code), "sk": approval_sk(*after)}
        while True:
            page = self._store.query(
                TASKS, approval_partition(tenant_code), sk_prefix=prefix, limit=PAGE, consistent=True, start=start
            )
            yield from (Approval.from_row(row) for row in page.items if row["status"] == OPEN)
            start = page.next_key
            if start is None:
                return

    def approve(self, workflow: str, request_id: str, context: InvokeContext) -> Approval:
        """Approve, so that the workflow continues. Repeating the answer changes nothing.

        Raises:
            NotFound: there is no such approval.
            AlreadyDecided: it was rejected or has timed out, or its workflow has ended.
        """
        return self._answer(workflow, request_id, context, APPROVED, None)

    def reject(self, workflow: str, request_id: str, context: InvokeContext, reason: str) -> Approval:
        """Reject, so that the workflow takes its rejected path. Raises like ``approve``, and ValidationError."""
        reason = check_text("reason", reason, MAX_TEXT_CHARS, min_chars=1)
        return self._answer(workflow, request_id, context, REJECTED, reason)

    # -- for the states ------------------------------------------------------------------------------------

    def ask(self, key: tuple[str, str], token: str, retry_count: int, *, execution: str, **shown: str) -> None:
        """Store the token that an answer needs. ``key``: pk and sk. ``shown``: ``subject`` and ``requestedBy``.

        A retried state has a new token, which replaces that of the previous try; a late try replaces none. If it was
        decided meanwhile, the token is completed at once.

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
            "ttl": int(now) + OPEN_DAYS * SECONDS_PER_DAY,
            **shown,
        }
        try:
            self._store.put(TASKS, row, absent("pk") | at_most("ttl", int(now)))
        except ConditionFailed as found:
            self._ask_again(row, found.item)

    def settle(self, key: tuple[str, str], *, execution: str, expired: bool, **shown: str) -> str:
        """Close the row after the wait and remove its token; returns the decision, else EXPIRED or BROKEN.

        The row of another execution is unchanged. If there is none, one is written, so that a late call of the state
        that asks finds it. ``shown`` as for ``ask``.

        Raises:
            TransientConflict: the row was written at the same moment.
        """
        pk, sk = key
        now = self._clock.now()
        status = EXPIRED if expired else BROKEN
        change = Change(set={"status": status, "decidedAt": iso(now), "ttl": _ttl(now)}, remove=(TOKEN,))
        mine = equals("execution", execution)
        try:
            return str(self._store.update(TASKS, pk, sk, change, equals("status", OPEN) & mine)["status"])
        except ConditionFailed as found:
            row = found.item
        if row is not None:
            if row["execution"] != execution:
                return BROKEN
            self._forget_token(row)
            return str(row["status"])
        ended = {"execution": execution, "requestedAt": iso(now), "status": status, "decidedAt": iso(now)}
        try:
            self._store.put(TASKS, {"pk": pk, "sk": sk, "ttl": _ttl(now), **ended, **shown}, absent("pk"))
        except ConditionFailed:
            raise TransientConflict(f"{pk} {sk}: the approval was asked for at this moment") from None
        return status

    # -- inside --------------------------------------------------------------------------------------------

    def _answer(
        self, workflow: str, request_id: str, context: InvokeContext, decision: str, reason: str | None
    ) -> Approval:
        pk, sk = approval_partition(caller(context).tenant_code), approval_sk(workflow, request_id)
        decided_by = check_text("userId", context.user_id, MAX_TEXT_CHARS, min_chars=1)
        now = self._clock.now()
        given: dict[str | tuple[str, ...], Any] = {
            "status": decision,
            "decidedBy": decided_by,
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
        return Approval.from_row(row, delivered=self._send(row))

    def _send(self, row: Item) -> bool:
        """Send the decision to the state, unless it was sent, and remove the token.

        False: nothing waits for the token.
        """
        token, delivered = row.get(TOKEN), True
        if token is None:
            return True
        try:
            if row["status"] == APPROVED:
                self._workflows.resume(token, {"decision": APPROVED})
            else:
                self._workflows.fail(token, REJECTED_ERROR, row.get("reason", ""))
        except TokenGone:
            delivered = False  # answered by a call that died before it removed the token, timed out, or ended
        self._forget_token(row)
        return delivered

    def _forget_token(self, row: Item) -> None:
        if TOKEN not in row:
            return
        try:
            self._store.update(TASKS, row["pk"], row["sk"], Change(remove=(TOKEN,)), equals(TOKEN, row[TOKEN]))
        except ConditionFailed:
            return  # another call removed it, or the state was retried with another token

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
